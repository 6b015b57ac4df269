//! A large design.

/// A design with many tables, each with the given number of global indexes.
pub fn design(tables: usize, indexes: usize) -> String {
    let mut text =
        "name = \"Large\"\nregion = \"us-east-1\"\nprices = \"2024-11-01\"\n".to_string();
    for table in 0..tables {
        text += &format!(
            "\n[[table]]\nname = \"Table{table}\"\nitems = {}\npartition_key = {{ name = \"pk\", \
             bytes = 20 }}\nsort_key = {{ name = \"sk\", bytes = 20 \
             }}\n\n[table.item]\nattributes = [{{ name = \"a\", type = \"S\", bytes = 100 }}, {{ \
             name = \"b\", type = \"S\", bytes = 400 }}, {{ name = \"c\", type = \"S\", bytes = \
             900 }}, {{ name = \"d\", type = \"S\", bytes = 40 }}]\n",
            1_000_000 * (table + 1)
        );
        for index in 0..indexes {
            let (key, projection) = (
                ["a", "b", "c", "d"][index % 4],
                ["all", "keys-only"][index % 2],
            );
            text += &format!(
                "\n[[table.index]]\nname = \"Index{index}\"\nkind = \"global\"\npartition_key = \
                 \"{key}\"\nprojection = \"{projection}\"\n"
            );
        }
        for (name, operation, rate) in [
            ("get", "GetItem", 500),
            ("put", "PutItem", 100),
            ("update", "UpdateItem", 50),
            ("delete", "DeleteItem", 10),
        ] {
            text += &format!(
                "\n[[table.access]]\nname = \"{name}\"\noperation = \"{operation}\"\nrate = {{ \
                 per_second = {rate} }}\n"
            );
        }
        for index in 0..indexes {
            text += &format!(
                "\n[[table.access]]\nname = \"query {index}\"\noperation = \"Query\"\nindex = \
                 \"Index{index}\"\nitems = 10\nrate = {{ per_second = {} }}\n",
                20 + index
            );
        }
    }
    text
}
