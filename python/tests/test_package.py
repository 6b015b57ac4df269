"""The functions of the package: the same figures as the command line, and errors with their places."""

import decimal
import json
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time

import dynameter
import pytest

ROOT = pathlib.Path(__file__).parents[2]
WORKLOADS = ROOT / "workloads"


def command(*arguments, **options):
    """Runs the command line that the package brings."""
    program = [sys.executable, "-m", "dynameter", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, check=False, **options)


@pytest.mark.parametrize("name", ["sessions", "shopping-cart", "ticketing"])
def test_the_command_and_the_functions_give_the_same_bytes(name):
    path = WORKLOADS / f"{name}.toml"
    for function in [dynameter.estimate, dynameter.explain]:
        expected = command(function.__name__, path, "--format", "json").stdout.decode()
        assert function(path).json == expected
        assert function(str(path)).json == expected


def test_the_command_answers_with_its_exit_codes():
    assert command("--version").stdout.startswith(b"dynameter ")
    assert command("estimate", WORKLOADS / "sessions.toml").returncode == 0
    wrong = command("estimate", "nothing.toml")
    assert wrong.returncode == 2 and b"nothing.toml" in wrong.stderr


def test_a_design_is_a_path_a_text_or_a_dictionary(design):
    of_dictionary = dynameter.estimate(design)
    text = (
        'name = "Sessions"\nregion = "us-east-1"\nprices = "2024-11-01"\n[[table]]\nname = "Sessions"\n'
        'partition_key = { name = "SessionId", type = "S", bytes = 20 }\nitems = 100_000\n'
        'item.size = "1 KB"\n'
        '[[table.access]]\nname = "get"\noperation = "GetItem"\nrate = { per_second = 50 }\n'
        '[[table.access]]\nname = "put"\noperation = "PutItem"\nrate = { per_second = 10 }\n'
    )
    assert dynameter.estimate(text) == of_dictionary
    # 50 reads of 1 KB are half a unit each, 10 writes a unit: 730 hours of them.
    seconds = 730 * 3_600
    reads = decimal.Decimal("0.125") * 50 * seconds / 2 / 1_000_000
    writes = decimal.Decimal("0.625") * 10 * seconds / 1_000_000
    amounts = {line["access"]: line["amount_usd"] for line in of_dictionary["lines"]}
    assert decimal.Decimal(amounts["get"]) == reads
    assert decimal.Decimal(amounts["put"]) == writes


def test_mistakes_in_a_dictionary_have_their_paths(design):
    design["table"][0]["itms"] = 3
    design["table"][0]["access"][1]["rate"] = "often"
    with pytest.raises(dynameter.DynameterError) as caught:
        dynameter.estimate(design)
    paths = {one.path for one in caught.value.diagnostics}
    assert paths == {"table[0].itms", "table[0].access[1].rate"}
    assert "table[0].itms: there is no key `itms` here" in str(caught.value)
    assert "did you mean `items`?" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.diagnostics == caught.value.diagnostics


def test_mistakes_in_a_file_have_their_lines(tmp_path):
    path = tmp_path / "design.toml"
    path.write_text('name = "x"\nregion = "us-east-9"\n')
    with pytest.raises(dynameter.DynameterError) as caught:
        dynameter.estimate(path)
    assert any(one.file == str(path) and one.line > 0 for one in caught.value.diagnostics)
    with pytest.raises(dynameter.DynameterError, match="no-such.toml"):
        dynameter.estimate("no-such.toml")
    with pytest.raises(TypeError, match="design is a int"):
        dynameter.estimate(3)
    with pytest.raises(dynameter.DynameterError, match="--colour"):
        dynameter.estimate(WORKLOADS / "sessions.toml", colour="red")


def test_tables_are_exact(design):
    pa = pytest.importorskip("pyarrow")
    bill = dynameter.estimate(design)
    table = bill.to_arrow()
    assert pa.types.is_decimal(table.schema.field("amount_usd").type)
    amounts = table.column("amount_usd").to_pylist()
    assert [str(amount.normalize()) for amount in amounts] == [
        str(decimal.Decimal(line["amount_usd"]).normalize()) for line in bill["lines"]
    ]
    assert sum(amounts) == decimal.Decimal(bill["total_usd"])
    pytest.importorskip("pandas")
    assert list(bill.to_pandas()["amount_usd"]) == amounts
    pytest.importorskip("polars")
    assert bill.to_polars()["amount_usd"].to_list() == amounts
    assert "lines" in bill.tables() and bill.rows("tables")[0]["table"] == "Sessions"
    with pytest.raises(KeyError, match="no table 'nothing'"):
        bill.to_arrow("nothing")


def test_a_notebook_shows_a_result(design):
    design["name"] = "<b>Sessions</b>"
    shown = dynameter.estimate(design)._repr_html_()
    assert "&lt;b&gt;Sessions" in shown and "<b>" not in shown and "<table>" in shown
    assert repr(dynameter.estimate(design)).startswith("<Result dynameter.estimate/1, total_usd=")


def test_results_can_be_pickled(design):
    bill = dynameter.estimate(design)
    again = pickle.loads(pickle.dumps(bill))
    assert again == bill and again.json == bill.json


def test_compare_check_diff_and_prices(design):
    compared = dynameter.compare(design)
    assert compared.rows()[0]["monthly_usd"]
    assert float(compared["best"]["monthly_usd"]) <= float(compared["total_usd"])
    assert [rule["rule"] for rule in dynameter.rules("3.8", "1.7").rows()] == ["1.7", "3.8"]
    budget = {"design": {"monthly_usd": {"fail": 1}}}
    schema = dynameter.schema(budget=True)
    assert schema["properties"]
    with pytest.raises(dynameter.DynameterError):
        dynameter.check(design, budget)
    checked = dynameter.check(design, {"limit": [{"monthly_usd": {"fail": 1}}]})
    assert not checked and not checked.passed
    assert dynameter.check(design, {"limit": [{"monthly_usd": {"fail": 1_000_000}}]})
    changed = json.loads(json.dumps(design))
    changed["table"][0]["access"][1]["rate"]["per_second"] = 20
    difference = dynameter.diff(design, changed)
    old = dynameter.estimate(design)["total_usd"]
    new = dynameter.estimate(changed)["total_usd"]
    assert decimal.Decimal(difference["delta_usd"]) == decimal.Decimal(new) - decimal.Decimal(old)
    assert any(book["region"] == "us-east-1" for book in dynameter.prices()["books"])
    assert dynameter.prices("us-east-1", "2024-11-01")["rates"]


def test_imports_are_toml(tmp_path):
    answer = {
        "Table": {
            "TableName": "Orders",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "ItemCount": 10,
            "TableSizeBytes": 1000,
            "TableArn": "arn:aws:dynamodb:eu-west-1:1:table/Orders",
        }
    }
    path = tmp_path / "describe.json"
    path.write_text(json.dumps(answer))
    text = dynameter.import_describe_table(path)
    assert 'name = "Orders"' in " ".join(text.split())
    with pytest.raises(dynameter.DynameterError):
        dynameter.import_terraform(path)


def test_a_trace_is_a_file_or_arrow_data(tmp_path, trace_table):
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "trace.parquet"
    pq.write_table(trace_table, path)
    of_file = dynameter.replay(path)

    def figures(result):
        return {name: value for name, value in result.items() if name != "trace"}

    expected = figures(of_file)
    assert figures(dynameter.replay([path])) == expected
    assert figures(dynameter.replay(trace_table)) == expected
    assert figures(dynameter.replay(trace_table.to_reader(max_chunksize=700))) == expected
    polars = pytest.importorskip("polars")
    assert figures(dynameter.replay(polars.from_arrow(trace_table))) == expected
    pytest.importorskip("pandas")
    assert figures(dynameter.replay(trace_table.to_pandas())) == expected
    stream = command("replay", path, "--format", "json").stdout.decode()
    assert stream == of_file.json
    with pytest.raises(TypeError, match="trace is a int"):
        dynameter.replay(3)
    with pytest.raises(dynameter.DynameterError, match="missing column: time"):
        dynameter.replay(trace_table.drop_columns(["time"]))


def test_several_processes_give_the_same_bytes(tmp_path, trace_table, design):
    pq = pytest.importorskip("pyarrow.parquet")
    from dynameter import local

    paths = []
    for at in range(3):
        paths.append(tmp_path / f"{at}.parquet")
        pq.write_table(trace_table.slice(at * 7_000, 7_000), paths[-1])
    expected = dynameter.replay(paths, design)
    assert local.replay(paths, design, processes=2, shares=5).json == expected.json
    assert local.replay(paths[0], processes=1).json == dynameter.replay(paths[0]).json
    with pytest.raises(ValueError, match="needs all rows in one order"):
        local.replay(paths, dax="1 GB")
    with pytest.raises(ValueError, match="1 to 256"):
        local.replay(paths, shares=500)


def test_steps_that_are_repeated_return_the_same_bytes(tmp_path, trace_table):
    from dynameter import _shares

    plan = _shares.plan(3, None, {})
    blobs = _shares.deal(plan, trace_table, 0, several=False)
    assert blobs == _shares.deal(plan, trace_table, 0, several=False)
    parts = [_shares.run(plan, [blob], share, files=1) for share, blob in enumerate(blobs, 1)]
    assert parts[1] == _shares.run(plan, [blobs[1]], 2, files=1)
    pair = _shares.join_some(plan, parts[:2])
    assert _shares.join(plan, [parts[2], pair]).json == dynameter.replay(trace_table).json
    with pytest.raises(dynameter.DynameterError, match="has the rows of share 1/3, not of 2/3"):
        _shares.run(plan, [blobs[0]], 2)
    with pytest.raises(dynameter.DynameterError, match="missing shares: 3/3"):
        _shares.join(plan, [pair])


@pytest.mark.traces
def test_rows_go_to_the_share_that_the_hash_says():
    shares = {dynameter.share_of(dynameter.key_hash(str(key).encode()), 8) for key in range(500)}
    assert shares == set(range(1, 9))
    assert dynameter.key_hash(b"42") == dynameter.key_hash(str(42).encode())
    with pytest.raises(ValueError):
        dynameter.share_of(1, 0)


def test_other_threads_run_while_a_command_runs(trace_table):
    counted = []
    done = threading.Event()

    def count():
        while not done.is_set():
            counted.append(time.monotonic())
            time.sleep(0.005)

    thread = threading.Thread(target=count)
    thread.start()
    for _ in range(3):
        dynameter.replay(trace_table)
    done.set()
    thread.join()
    assert len(counted) > 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_answers(design):
    expected = dynameter.compare(design)["total_usd"]
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writes, dynameter.compare(design)["total_usd"].encode())
        finally:
            os._exit(0)
    os.close(writes)
    deadline = time.monotonic() + 60
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            pytest.fail("the child does not answer")
        time.sleep(0.05)
    assert os.read(reads, 100).decode() == expected


LONG = """
import signal, sys, time, dynameter
print("ready", flush=True)
try:
    while True:
        dynameter.compare([sys.argv[1]] * 40)
except KeyboardInterrupt:
    print("stopped", time.time(), flush=True)
"""


def test_ctrl_c_stops_a_long_command():
    workload = str(WORKLOADS / "shopping-cart.toml")
    process = subprocess.Popen(
        [sys.executable, "-c", LONG, workload], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.0)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    word, stopped = process.stdout.readline().split()
    assert word == "stopped"
    # 0.2 s on a quiet machine; a busy one is given more.
    assert float(stopped) - sent < 1.0
    process.kill()
    process.wait()


def test_every_function_says_what_it_does():
    for name in dynameter.__all__:
        value = getattr(dynameter, name)
        if callable(value):
            assert value.__doc__, name


def test_the_light_wheel_says_what_it_lacks():
    from dynameter import _native

    if _native.has_replay:
        pytest.skip("this wheel reads traces")
    with pytest.raises(dynameter.DynameterError, match="without trace readers"):
        dynameter.replay("trace.parquet")


def test_the_stubs_name_options_that_the_commands_have():
    import ast

    stub = pathlib.Path(dynameter.__file__).with_name("_commands.pyi").read_text()
    functions = {node.name: node for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef)}
    assert set(functions) <= set(dynameter.__all__) | {"Path", "Design"}
    commands = {"join": "replay"}
    for name, function in functions.items():
        if name in {"prices", "schema", "key_hash", "share_of"}:
            continue
        helped = command(commands.get(name, name.split("_")[0]), "--help").stdout.decode()
        for option in function.args.kwonlyargs:
            flag = "--" + option.arg.rstrip("_").replace("_", "-")
            assert flag in helped, f"{name}({option.arg})"
            assert ast.get_docstring(function) is None and dynameter.__dict__[name].__doc__


def test_headroom_says_what_breaks_first(design):
    launch = dynameter.headroom(WORKLOADS / "launch.toml")
    assert launch["schema"] == "dynameter.headroom/1"
    writes = next(one for one in launch["accounts"] if one["table"] == "Orders" and one["part"] == "writes")
    assert writes["limit"] == "index-back-pressure" and float(writes["factor"]) > 2
    assert [event["holds"] for event in launch["events"]] == [False]
    with pytest.raises(dynameter.DynameterError, match="mars-1"):
        dynameter.headroom(design, without_region="mars-1")


def test_a_result_is_returned_and_not_written(design):
    with pytest.raises(TypeError, match="output is an option of the command line"):
        dynameter.estimate(design, output="file.json")


def test_several_designs_are_several_results(design, tmp_path):
    first, second = dynameter.estimate([design, WORKLOADS / "sessions.toml"])
    assert first == dynameter.estimate(design)
    assert second == dynameter.estimate(WORKLOADS / "sessions.toml")
    assert len(dynameter.compare([design, design])) == 2
    bad = {**design, "itms": 3}
    with pytest.raises(dynameter.DynameterError, match=r"<design 2> itms: there is no key"):
        dynameter.estimate([design, bad])
    with pytest.raises(ValueError, match="no design is given"):
        dynameter.estimate([])


def test_files_beside_a_design_can_be_dictionaries(design):
    budget = {"limit": [{"increase_usd": {"fail": 1}}]}
    assert dynameter.check(design, budget, baseline=design)
    discount = {"commitment": [{"kind": "discount", "percent": 10}]}
    whole = decimal.Decimal(dynameter.estimate(design)["total_usd"])
    less = decimal.Decimal(dynameter.estimate(design, commitments=discount)["total_usd"])
    assert less == whole * decimal.Decimal("0.9")


def test_names_stay_texts_and_numbers_are_numbers(design):
    pa = pytest.importorskip("pyarrow")
    design["table"][0]["name"] = "00123"
    table = dynameter.estimate(design).to_arrow()
    assert set(table.column("table").to_pylist()) == {"00123"}
    unknown = {**design, "table": [{**design["table"][0], "items": "unknown"}]}
    other = dynameter.estimate(unknown).to_arrow()
    assert pa.types.is_decimal(other.schema.field("amount_usd").type)


def test_values_of_a_dictionary_are_exact_or_told(design):
    table = design["table"][0]
    table["access"][1]["rate"] = {"per_second": decimal.Decimal("10")}
    assert dynameter.estimate(design)["total_usd"]
    for value, error in [
        (float("nan"), "nan is not a number"),
        (2**63, "too large"),
        (b"1", "a bytes is not a value"),
        ([None], "a NoneType is not a value"),
        ({1: 2}, "the key 1 is no text"),
    ]:
        table["items"] = value
        with pytest.raises((TypeError, ValueError), match=r"table\[0\]\.items.*" + error):
            dynameter.estimate(design)


def test_options_take_python_values(trace_table):
    renamed = trace_table.rename_columns(["t", "operation", "key", "item_bytes"])
    expected = dynameter.replay(trace_table)
    assert dynameter.replay(renamed, map={"time": "t"})["lines"] == expected["lines"]
    with pytest.raises(dynameter.DynameterError, match="hot-keys"):
        dynameter.replay(trace_table, hot_keys=-1)
    with pytest.raises(dynameter.DynameterError, match="list-prices"):
        dynameter.estimate(WORKLOADS / "sessions.toml", list_prices="yes")


def test_a_file_that_is_named_twice_counts_once(tmp_path, trace_table):
    pq = pytest.importorskip("pyarrow.parquet")
    from dynameter import local

    folder = tmp_path / "trace"
    folder.mkdir()
    for at in range(2):
        pq.write_table(trace_table.slice(at * 9_000, 9_000), folder / f"{at}.parquet")
    paths = [folder / "0.parquet", folder, folder / "*.parquet"]
    expected = dynameter.replay(paths)
    assert expected["trace"]["events"] == "18000"
    assert local.replay(paths, processes=2).json == expected.json


def test_the_window_of_a_deal_is_that_of_the_join(trace_table):
    from dynameter import _shares

    window = {"from_": "2023-12-31T23:00:00Z", "to": "2024-01-01T02:00:00Z"}
    expected = dynameter.replay(trace_table, **window)
    plan = _shares.plan(2, None, window)
    blobs = _shares.deal(plan, trace_table, 0, several=False)
    parts = [_shares.run(plan, [blob], share) for share, blob in enumerate(blobs, 1)]
    assert _shares.join(plan, parts).json == expected.json
    without = _shares.plan(2, None, {})
    assert _shares.join(without, parts).json == expected.json
    other = _shares.plan(2, None, {"to": "2024-01-01T03:00:00Z"})
    with pytest.raises(dynameter.DynameterError, match="the trace was cut at"):
        _shares.join(other, parts)
