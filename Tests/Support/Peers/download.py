#!/usr/bin/env python3
"""Times a list of URLs → shards against img2dataset on the same list and server, turn by turn.

usage: download.py clean|hostile|stalls --data SHARED/data [--pairloom BIN] [--peer PYTHON] [--rounds 3]
                   [--arrow PYTHON] [--keep FOLDER]

Prints one JSON line per figure. `clean` and `hostile` run 4,000 rows: rows per CPU second of the whole
process tree, with start-up and with it taken off (the CPU seconds of a run of one row, given apart), and the
peak of the summed PSS. `stalls` runs 20,000 rows of which 5 % hang, drip or never end: the throughput around the 10 %
mark and around the 90 % mark, by the moments at which rows were done.
--keep leaves Pairloom's last shards in FOLDER.
SHARED/data is the maintainers' folder of real pictures with its server; the peer's
PYTHON has img2dataset 1.47.0, the other one pyarrow (Tests/Support/peers.sh makes it).
"""
import argparse, glob, json, os, resource, shutil, statistics, subprocess, sys, tempfile, threading, time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))


def children(root):
    """The process and all below it."""
    below = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open(f"/proc/{name}/stat").read()
            below.setdefault(int(stat[stat.rindex(")") + 2:].split()[1]), []).append(int(name))
        except OSError:
            pass
    found, todo = [], [root]
    while todo:
        found.append(todo.pop())
        todo += below.get(found[-1], [])
    return found


def measured(command, log):
    """Wall and CPU seconds of a command with all its children, and the peak of their summed PSS in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, peak, done = time.time(), 0, threading.Event()
    with open(log, "w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    def watch():
        nonlocal peak
        while not done.wait(0.1):
            total = 0
            for each in children(process.pid):
                try:
                    lines = open(f"/proc/{each}/smaps_rollup").read().splitlines()
                    total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                except OSError:
                    pass
            peak = max(peak, total)

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status not in (0, 3):
        sys.exit(f"{' '.join(command)}: exit {status}; see {log}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return dict(wall_s=time.time() - began, cpu_s=cpu, peak_pss_mb=peak / 1024)


def ours(options, rows, folder):
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        options.pairloom, "run", "urls", "--folder", folder, "--set", f"input={rows}",
        "--set", "allow_addresses=[127.0.0.0/8]", "--workers", "2"]
    return measured(command, folder + ".log")


def theirs(options, rows, folder):
    shutil.rmtree(folder, ignore_errors=True)
    command = [options.peer, os.path.join(HERE, "img2dataset_run.py"), rows, folder]
    return measured(command, folder + ".log")


def make_list(options, name, count, *arguments):
    prefix = os.path.join(options.work, name)
    subprocess.run(
        [sys.executable, os.path.join(options.data, "make_lists.py"), "-n", str(count), "--base",
         options.base, "--formats", "csv", "--out", prefix, *arguments],
        check=True, stdout=subprocess.DEVNULL)
    return prefix + ".csv"


def reset(options):
    urllib.request.urlopen(options.base + "/_reset").read()


def compare(options, preset):
    rows = make_list(options, preset, 4000, "--preset", preset)
    one = make_list(options, "one", 1, "--preset", "clean")
    sides = {"pairloom": ours} | ({"img2dataset": theirs} if options.peer else {})
    results = {side: [] for side in sides}
    for _ in range(options.rounds):
        for side, run in sides.items():
            reset(options)
            start = run(options, one, os.path.join(options.work, side))
            full = run(options, rows, os.path.join(options.work, side))
            work = full["cpu_s"] - start["cpu_s"]
            results[side].append(
                full | dict(
                    startup_cpu_s=start["cpu_s"], rows_per_cpu_s=4000 / full["cpu_s"],
                    rows_per_cpu_s_without_startup=4000 / work))
    if options.keep:
        shutil.rmtree(options.keep, ignore_errors=True)
        shutil.copytree(os.path.join(options.work, "pairloom", "shards"), options.keep)
    for side, rounds in results.items():
        figure = {key: round(statistics.median(each[key] for each in rounds), 2) for key in rounds[0]}
        print(json.dumps(dict(figure=f"{preset} list, 4,000 rows", side=side, rounds=len(rounds), **figure)), flush=True)


def throughput(moments, count):
    """Rows per second around the 10 % and the 90 % mark: a tenth of all rows around each."""
    moments = sorted(moments)

    def around(share):
        low, high = int(count * (share - 0.05)), int(count * (share + 0.05)) - 1
        return (high - low) / max(1e-9, moments[high] - moments[low])

    return around(0.10), around(0.90)


def stalls(options):
    faults = {"hang": 0.02, "slow/60": 0.01, "hang-mid": 0.01, "big": 0.01}
    arguments = ["--preset", "clean", "--repeat"]
    for name, share in faults.items():
        arguments += ["--fault", f"{name}:{share}"]
    count = 20000
    rows = make_list(options, "stalls", count, *arguments)
    for side in ["pairloom"] + (["img2dataset"] if options.peer else []):
        reset(options)
        folder = os.path.join(options.work, side)
        facts = (ours if side == "pairloom" else theirs)(options, rows, folder)
        moments = done_by_us(options, folder) if side == "pairloom" else done_by_img2dataset(folder)
        early, late = throughput(moments, len(moments))
        print(json.dumps(dict(
            figure="20,000 rows, 5 % stalling", side=side, rows=len(moments), **{k: round(v, 2) for k, v in facts.items()},
            rows_per_s_at_10_percent=round(early, 1), rows_per_s_at_90_percent=round(late, 1),
            loss_percent=round(100 * (1 - late / early), 1))), flush=True)


def done_by_us(options, folder):
    """When each row's download ended, by the tables of fetched/."""
    reader = "import glob, json, sys, pyarrow.parquet as p\n" \
        "for f in sorted(glob.glob(sys.argv[1] + '/fetched/*.parquet')):\n" \
        "  t = p.read_table(f, columns=['started_at', 'seconds']).to_pydict()\n" \
        "  print(*[a / 1000 + s for a, s in zip(t['started_at'], t['seconds']) if a is not None], sep='\\n')"
    lines = subprocess.run([options.arrow, "-c", reader, folder], check=True, capture_output=True, text=True).stdout.split()
    return [float(line) for line in lines]


def done_by_img2dataset(folder):
    """img2dataset tells the moments of whole shards: its rows count as done when their shard is."""
    moments = []
    for path in glob.glob(folder + "/*_stats.json"):
        stats = json.load(open(path))
        moments += [stats["end_time"]] * stats["count"]
    return moments


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["clean", "hostile", "stalls"])
    parser.add_argument("--data", required=True)
    parser.add_argument("--pairloom", default=os.path.join(HERE, "../../../.build/release/pairloom"))
    parser.add_argument("--peer")
    parser.add_argument("--arrow", default=os.path.join(HERE, "../../../.build/peers/bin/python"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        options.work = work
        port_file = os.path.join(work, "port")
        roots = [word for name in ("corpus", "variants", "exotic") for word in ("--root", os.path.join(options.data, name))]
        # A peer without a cap reads an endless body whole: 64 MiB of it show that, 2 GiB in 64 threads end the machine.
        limits = ["--big-max", "64"] if options.what == "stalls" else []
        server = subprocess.Popen(
            [sys.executable, os.path.join(options.data, "serve.py"), *roots, *limits, "--port", "0",
             "--port-file", port_file])
        try:
            while not (os.path.exists(port_file) and open(port_file).read().strip()):
                time.sleep(0.05)
            options.base = f"http://127.0.0.1:{int(open(port_file).read())}"
            stalls(options) if options.what == "stalls" else compare(options, options.what)
        finally:
            server.kill()


main()
