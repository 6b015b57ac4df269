//! Commitments of an account: the same total however the tables are divided among files, and
//! the same as `compare` says of a mix.

use crate::support;

use dynameter::commitments::Commitment;
use dynameter::compare::{Curve, Mix, best_mix, offers};
use dynameter::estimate::{Metering, Together, estimate_together};
use dynameter::pricing::Books;
use dynameter::workload::{self, Setting, Workload};

use proptest::prelude::*;

fn loaded(name: &str, text: &str, books: &Books) -> Workload {
    let folder = support::root().join("workloads");
    workload::load(name, text, &folder, &Setting::new(books))
        .unwrap_or_else(|errors| panic!("{name}:\n{errors}"))
}

fn commitments(text: &str, designs: &[Workload], books: &Books) -> Vec<Commitment> {
    workload::load_commitments("account.toml", text, designs, books)
        .unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// Dollars of all designs and of what they leave unused.
fn dollars(together: &Together) -> f64 {
    let designs = together.outcomes.iter().map(|outcome| outcome.total());
    let all = designs.chain([together.unused.total()]);
    all.map(|total| {
        total
            .expect("fits")
            .to_string()
            .parse::<f64>()
            .expect("a number")
    })
    .sum()
}

/// A mix as a file of commitments.
fn file(mix: &Mix) -> String {
    let mut file = String::new();
    if let Some(years) = mix.years {
        file += &format!(
            "[[commitment]]\nkind = \"reserved\"\nread = {}\nwrite = {}\nyears = {years}\n",
            mix.read_units, mix.write_units
        );
    }
    if !mix.plan_usd_per_hour.is_zero() {
        file += &format!(
            "[[commitment]]\nkind = \"savings-plan\"\nusd_per_hour = {}\n",
            mix.plan_usd_per_hour
        );
    }
    file
}

/// The best mix of commitments, found on the curve of a design, changes its estimate by what the
/// curve says.
fn mix_is_right(workload: &Workload, books: &Books) -> bool {
    let metering = Metering::new(workload, books).expect("a metering");
    let curve = Curve::of(&metering).expect("a curve");
    let book = metering.book(&workload.region).expect("a book");
    let mix = best_mix(&curve, &offers(book, workload.prices).0);
    if !mix.commits() {
        return false;
    }
    let designs = std::slice::from_ref(workload);
    let bought = commitments(&file(&mix), designs, books);
    let before = estimate_together(designs, &[], books).expect("an estimate");
    let after = estimate_together(designs, &bought, books).expect("an estimate");
    let change = mix.change(&curve, &workload.month).expect("fits");
    let said = dollars(&before) + change.to_string().parse::<f64>().expect("a number");
    let found = dollars(&after);
    assert!(
        (said - found).abs() < 0.0001,
        "{}: ${said} is said, ${found} found, with\n{}",
        workload.name,
        file(&mix)
    );
    true
}

#[test]
fn the_best_mix_costs_what_it_is_said_to_cost() {
    let books = Books::embedded();
    let shipped = support::shipped();
    let right = shipped
        .iter()
        .filter(|(name, text)| mix_is_right(&loaded(name, text, &books), &books))
        .count();
    assert!(right > 5, "only {right} workloads have a mix that pays");
}

/// A table of a random design: its name, class, mode and traffic.
fn table() -> impl Strategy<Value = String> {
    let capacity = prop_oneof![
        Just("on-demand".to_string()),
        (1..900_u64, 1..900_u64).prop_map(|(read, write)| format!(
            "provisioned\", read = {read}, write = {write}, x = \""
        )),
        (1..200_u64, 200..900_u64).prop_map(|(min, max)| {
            let units = format!("{{ min = {min}, max = {max}, target = 0.7 }}");
            format!("provisioned\", read = {units}, write = {units}, x = \"")
        }),
    ];
    let class = prop_oneof![4 => Just("standard"), 1 => Just("standard-ia")];
    (capacity, class, 1..400_u64, 1..400_u64, any::<bool>()).prop_map(
        |(capacity, class, reads, writes, busy)| {
            let capacity = format!("mode = \"{capacity}\"").replace(", x = \"\"", "");
            let profile = match busy {
                true => "profile = [1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 6, 5, 5, 4, 4, 4, 4, 3, 3, 2, 1, 1]",
                false => "",
            };
            format!(
                "\n[[table]]\nname = \"TABLE\"\nitems = 1000\npartition_key = {{ name = \"Id\" }}\n\
                 item.size = \"1 KB\"\nclass = \"{class}\"\ncapacity = {{ {capacity} }}\n\
                 [[table.access]]\nname = \"read\"\noperation = \"GetItem\"\n\
                 rate = {{ per_second = {reads} }}\n{profile}\n\
                 [[table.access]]\nname = \"write\"\noperation = \"PutItem\"\n\
                 rate = {{ per_second = {writes} }}\n{profile}\n"
            )
        },
    )
}

fn design(tables: &[String], first: usize) -> String {
    let mut text = "name = \"Random\"\nregion = \"us-east-1\"\nfree_tier = false\n".to_string();
    for (at, table) in tables.iter().enumerate() {
        text += &table.replace("TABLE", &format!("Table{}", first + at));
    }
    text
}

/// Commitments of every kind, or of some.
fn bought() -> impl Strategy<Value = String> {
    (
        0..12_u64,
        0..12_u64,
        prop_oneof![Just(1), Just(3)],
        0..80_u64,
        0..30_u64,
    )
        .prop_map(|(read, write, years, plan, percent)| {
            format!(
                "[[commitment]]\nkind = \"reserved\"\nregion = \"us-east-1\"\nread = {}\n\
                 write = {}\nyears = {years}\n\
                 [[commitment]]\nkind = \"savings-plan\"\nusd_per_hour = {}\n\
                 [[commitment]]\nkind = \"discount\"\npercent = {percent}\n",
                read * 100,
                write * 100,
                plan as f64 / 100.0
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Tables in one file or in two have the same total, and a commitment costs at least what it
    /// must and at most that on top of list prices.
    #[test]
    fn tables_pay_the_same_in_one_file_or_in_two(
        tables in proptest::collection::vec(table(), 2..5),
        bought in bought(),
    ) {
        let books = Books::embedded();
        let one = [loaded("one", &design(&tables, 0), &books)];
        let (left, right) = tables.split_at(1);
        let two = [
            loaded("left", &design(left, 0), &books),
            loaded("right", &design(right, 1), &books),
        ];
        let bought = commitments(&bought, &one, &books);
        let together = estimate_together(&one, &bought, &books).expect("an estimate");
        let apart = estimate_together(&two, &bought, &books).expect("an estimate");
        prop_assert!((dollars(&together) - dollars(&apart)).abs() < 0.0001);
        let free = estimate_together(&one, &[], &books).expect("an estimate");
        let empty = loaded("empty", "name = \"Empty\"\nregion = \"us-east-1\"\n[[table]]\nname = \"Empty\"\nitems = 0\nitem.size = \"1 KB\"\npartition_key = { name = \"Id\" }\n", &books);
        let least = estimate_together(&[empty], &bought, &books).expect("an estimate");
        prop_assert!(dollars(&together) + 0.0001 > dollars(&least));
        prop_assert!(dollars(&together) < dollars(&free) + dollars(&least) + 0.0001);
    }

    /// Whatever the design, a mix costs what the curve says.
    #[test]
    fn a_mix_is_right_for_any_design(tables in proptest::collection::vec(table(), 1..4)) {
        let books = Books::embedded();
        mix_is_right(&loaded("random", &design(&tables, 0), &books), &books);
    }
}
