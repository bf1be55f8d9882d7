"""Make ``docs/benchmarks.md`` from the JSON files in ``benchmarks/results``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"

PUBLISHED = {"xquad": ("96.5", "94.4"), "limit-small": ("99.2", "-"), "medline": ("69.6", "-")}
"""nDCG@10 x 100 of BM25 (Lucene's, by bm25s) and of all-MiniLM-L6-v2, where known."""


@dataclass(frozen=True)
class Target:
    """A figure, where it stands in the results, and what it should be."""

    what: str
    benchmark: str
    path: str
    sign: str
    bound: float

    def measured(self, results: dict[str, Any]) -> float | None:
        value: Any = results.get(self.benchmark, {}).get("results")
        for step in self.path.split("/"):
            if value is None:
                return None
            value = value[int(step)] if isinstance(value, list) else value.get(step)
        return value

    def row(self, results: dict[str, Any]) -> str:
        value = self.measured(results)
        if value is None:
            return f"| {self.what} | {self.sign} {self.bound:g} | not measured | |"
        met = value >= self.bound if self.sign == ">=" else value <= self.bound
        verdict = "met" if met else "**missed**"
        return f"| {self.what} | {self.sign} {self.bound:g} | {value:g} | {verdict} |"


TARGETS = [
    Target("whole pipeline against the bare embedder", "indexing", "pipeline/ratio_to_bare", ">=", 0.95),
    Target("taking in reStructuredText, MB of text/s", "indexing", "taking_in/0/text_mb_per_second", ">=", 10),
    Target("taking in HTML, MB of text/s", "indexing", "taking_in/1/text_mb_per_second", ">=", 10),
    Target("peak memory of indexing 200 MB of text, MB", "indexing", "memory/peak_mb", "<=", 600),
    Target("embedder against sentence-transformers, chunks", "embedder", "chunks/ratio", ">=", 1.7),
    Target("embedder against sentence-transformers, a query", "embedder", "query/ratio", ">=", 4),
    Target("chunker against one tiktoken encode, prose", "chunker", "results/0/ratio", "<=", 2.5),
    Target("the same, Chinese, the hardest of five texts", "chunker", "results/3/ratio", "<=", 2.5),
    Target("unchanged sync against os.walk + stat", "syncing", "ratio", "<=", 3),
    Target("texts embedded by renaming every file", "syncing", "texts_embedded_by_renaming", "<=", 0),
    Target("search at 100k against the bare FAISS call, p50", "searching", "embedsearch/ratio_to_bare", "<=", 1.3),
    Target("the same, the first 200 searches after opening", "searching", "embedsearch/ratio_after_opening", "<=", 1.3),
    Target("recall@10 at 100k", "searching", "embedsearch/recall", ">=", 0.98),
    Target("recall@10, filter of 10 %", "searching", "embedsearch/filter 10 %/recall", ">=", 0.99),
    Target("recall@10, filter of 1 %", "searching", "embedsearch/filter 1 %/recall", ">=", 0.99),
    Target("recall@10, filter of 0.1 %", "searching", "embedsearch/filter 0.1 %/recall", ">=", 0.99),
    Target("adding ready vectors, documents/s", "searching", "embedsearch/add_per_second", ">=", 20_000),
    Target("API client, CPU ms a batch of 2,048 x 1,536", "client_cpu", "embedsearch/blocking/cpu_ms", "<=", 50),
    Target("the same, 16 tasks at once", "client_cpu", "embedsearch/awaiting/cpu_ms", "<=", 70),
    Target("peak memory of these against the official SDK's", "client_cpu", "memory_ratio", "<=", 1),
    Target("CPU of import and a first request against the SDK's", "client_cpu", "first_request_ratio", "<=", 0.45),
    Target("a minute of a 50,000 tokens/s bucket, share of the ideal", "client_limits", "runs/0/share_of_ideal", ">=", 0.97),
    Target("batches lost there", "client_limits", "runs/0/lost", "<=", 0),
    Target("few examples against logistic regression, banking77, 1 a label, points", "classification", "few/banking77/1/gain", ">=", 6),
    Target("the same, 3 a label", "classification", "few/banking77/3/gain", ">=", 4.5),
    Target("the same, 8 a label", "classification", "few/banking77/8/gain", ">=", 5),
    Target("calibration error of ProbeClassifier, banking77", "classification", "full/ProbeClassifier/calibration_error", "<=", 0.03),
    Target("accuracy of ProbeClassifier, banking77", "classification", "full/ProbeClassifier/accuracy", ">=", 0.894),
    Target("its accuracy less LogisticRegressionCV's", "classification", "full/accuracy_above", ">=", 0),
    Target("its CPU time against LogisticRegressionCV's", "classification", "full/cpu_ratio", "<=", 0.5),
    Target("import embedsearch, ms over python -c pass", "starting", "import_over_bare_ms", "<=", 60),
    Target("embedsearch --help, ms over python -c pass", "starting", "help_over_bare_ms", "<=", 150),
    Target("cold embedsearch search, ms", "starting", "cold_search_ms", "<=", 1200),
    Target("calibration error of kNN, held out", "labelling", "knn/chosen temperature/calibration_error", "<=", 0.03),
    Target("draws of 100 in which more than 5 % of the answers were wrong", "labelling", "promises/selective/broken", "<=", 10),
    Target("draws of 100 in which sets held the label as often as promised", "labelling", "promises/sets/draws_within_95", ">=", 90),
    Target("kNN of 100,000 texts against scikit-learn's brute, 10,000 examples", "labelling", "against_sklearn/0/brute/ratio", ">=", 10),
    Target("the same, 100,000 examples", "labelling", "against_sklearn/1/brute/ratio", ">=", 10),
    Target("the same against its k-d tree", "labelling", "against_sklearn/1/kd_tree/ratio", ">=", 10),
]  # fmt: skip


def read() -> dict[str, Any]:
    files = sorted((HERE / "results").glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in files}


def targets(results: dict[str, Any]) -> list[str]:
    rows = [target.row(results) for target in TARGETS]
    return ["| | target | measured | |", "|---|---|---|---|", *rows]


def retrieval(results: dict[str, Any]) -> list[str]:
    sets = results.get("retrieval", {}).get("results", {})
    if not sets:
        return []
    lines = [
        "",
        "## Quality: nDCG@10 x 100",
        "",
        "| set | queries | by meaning | by words | both | BM25 (Lucene) | the model, published |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, facts in sets.items():
        figures = [f"{100 * facts[m]['ndcg@10']:.1f}" for m in ("dense", "lexical", "hybrid")]
        published = PUBLISHED.get(name, ("39.6", "-") if name == "cisi" else ("-", "-"))
        lines.append(f"| {' | '.join([name, str(facts['queries']), *figures, *published])} |")
    return lines


def relevance(results: dict[str, Any]) -> list[str]:
    facts = results.get("relevance", {}).get("results", {})
    if not facts:
        return []
    lines = [
        "",
        f"## Relevance: questions of which `ask` says that nothing was found, {facts['model']} model",
        "",
        "| set | passages | own questions | kept | the other sets' | refused |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {' | '.join(map(str, [name, *row.values()]))} |" for name, row in facts["sets"].items()
    ]
    return lines


def classification(results: dict[str, Any]) -> list[str]:
    facts = results.get("classification", {}).get("results", {})
    if not facts:
        return []
    names = ("logistic regression", "without names", "FewShotClassifier")
    lines = [
        "",
        "## Classification from few examples: accuracy x 100, mean of 10 draws",
        "",
        "A calibration error is never 0 on so many texts: beside it stands what would be measured if"
        " every probability were right.",
        "",
        f"| set | examples a label | {' | '.join(names)} | gain | its calibration error | by chance |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for set_name, shots in facts["few"].items():
        for k in filter(str.isdigit, shots):
            figures = [shots[k][name] for name in (*names, "gain")]
            figures += [
                shots[k]["FewShotClassifier, calibration error"],
                shots[k].get("FewShotClassifier, by chance", "-"),
            ]
            lines.append(f"| {' | '.join(map(str, [set_name, k, *figures]))} |")
    for part, (title, head) in OF_BANKING77.items():
        if part in facts:
            lines += ["", title, "", f"| {head} |", f"|{'---|' * (head.count('|') + 1)}"]
            rows = {name: row for name, row in facts[part].items() if isinstance(row, dict)}
            lines += [
                f"| {' | '.join(map(str, [name, *row.values()]))} |" for name, row in rows.items()
            ]
    if facts["skipped"]:
        lines += ["", f"Not measured here: {', '.join(facts['skipped'])}."]
    return lines


OF_BANKING77 = {
    "full": (
        "All of banking77's 10,003 examples:",
        " | accuracy | calibration error | by chance | CPU s",
    ),
    "zero_shot": (
        "Without examples, by the words for each of banking77's labels:",
        " | accuracy | calibration error | by chance",
    ),
    "wrong_labels": (
        "ProbeClassifier of 3,000 examples where a share of all labels, those it is judged by, too,"
        " is drawn at random:",
        "share | accuracy | calibration error | by chance | CPU s | `noise_`",
    ),
}
"""What was measured on all of banking77: a title, and the columns."""


def peers(results: dict[str, Any]) -> list[str]:
    facts = results.get("searching", {}).get("results", {})
    if not facts:
        return []
    lines = [
        "",
        f"## Search at {facts['rows']:,} chunks, text and metadata",
        "",
        "| | add/s | recall@10 | p50 ms | filter 10 % | 1 % | 0.1 % (p50 ms, recall) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("embedsearch", "zvec", "chromadb"):
        side = facts.get(name)
        if not isinstance(side, dict):
            lines.append(f"| {name} | not installed | | | | | |")
            continue
        filters = [side[f"filter {share} %"] for share in ("10", "1", "0.1")]
        cells = [f"{f['p50_ms']}, {f['recall']:.3f}" for f in filters]
        row = [name, f"{side['add_per_second']:,}", side["recall"], side["p50_ms"], *cells]
        lines.append(f"| {' | '.join(map(str, row))} |")
    own = facts["embedsearch"]
    first = ", ".join(f"{own[f'filter {s} %']['first_ms']} ms" for s in ("10", "1", "0.1"))
    lines += [
        "",
        f"The bare FAISS call takes {own['bare_faiss_p50_ms']} ms at recall {own['bare_faiss_recall']}."
        f" With more candidates it finds more: {candidates(own)}."
        f" A filter is read from SQLite at its first use ({first}) and kept until the index changes."
        f" A search by text takes {own['hybrid_search_p50_ms']} ms (both), {own['dense_search_p50_ms']}"
        f" ms (meaning), {own['lexical_search_p50_ms']} ms (words), the query's embedding included.",
    ]
    return lines


def candidates(own: dict[str, Any]) -> str:
    """Say what the bare call finds with more candidates, and how many times its time ours is."""
    curve = own["bare_faiss_by_candidates"]
    said = [f"{c['recall']} ({c['ratio']} times) with {c['factor']} a result" for c in curve]
    return f"recall {said[0]}, {', '.join(said[1:])}; in brackets our time against its"


def client(results: dict[str, Any]) -> list[str]:
    costs = results.get("client_cpu", {}).get("results", {})
    if not costs:
        return []
    lines = [
        "",
        "## The API client: a batch of 2,048 x 1,536 as base64",
        "",
        "| | CPU ms | 16 threads | peak MB | 16 tasks | peak MB | import and first request, CPU ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("embedsearch", "openai"):
        side, first = costs[name], costs["first_request_cpu_ms"][name]
        many = [
            side[task][fact] for task in ("threads", "awaiting") for fact in ("cpu_ms", "peak_mb")
        ]
        lines.append(
            f"| {' | '.join(map(str, [name, side['blocking']['cpu_ms'], *many, first]))} |"
        )
    stream, index = costs["stream"], costs.get("index")
    into = (  # results from before this was measured lack it
        f"; through an `APIEmbedder` into an index, where they are searchable then: "
        f"{index['seconds']} s, {index['cpu_seconds']} of them CPU"
        if index
        else ""
    )
    return [
        *lines,
        "",
        f"{stream['texts']:,} texts from a server that takes 150 ms for 256 of them, through "
        f"`create_many`: {stream['seconds']} s, {stream['cpu_seconds']} of them CPU{into}. 16 "
        f"requests at once can't take less than {stream['limit_seconds']} s.",
    ]


def limits(results: dict[str, Any]) -> list[str]:
    facts = results.get("client_limits", {}).get("results", {})
    if not facts:
        return []
    lines = [
        "",
        f"## Rate limits: {facts['seconds']} s of {facts['tokens_per_second']:,} tokens/s, 16 workers",
        "",
        "| | the server's limit | batches | lost | refused (429) | share of the ideal |",
        "|---|---|---|---|---|---|",
    ]
    for run in facts["runs"]:
        columns = ("side", "server", "batches", "lost", "refused", "share_of_ideal")
        lines.append(f"| {' | '.join(str(run[column]) for column in columns)} |")
    return lines


def labelling(results: dict[str, Any]) -> list[str]:
    facts = results.get("labelling", {}).get("results", {})
    if not facts:
        return []
    rows = {f"kNN: {name}": row for name, row in facts["knn"].items()}
    lines = [
        "",
        "## Neighbours and promises: banking77",
        "",
        "| | accuracy | calibration error |",
        "|---|---|---|",
        *(f"| {n} | {r['accuracy']} | {r['calibration_error']} |" for n, r in rows.items()),
        "",
        "| answered, the surest first | confidence | accuracy |",
        "|---|---|---|",
        *(f"| {' | '.join(map(str, row))} |" for row in facts["promises"]["coverage_table"]),
    ]
    one, sets = facts["promises"]["selective"], facts["promises"]["sets"]
    unknown = ", ".join(f"{name} {share:.0%}" for name, share in facts["unanswered"].items())
    return [
        *lines,
        "",
        f"Promised: at most {one['error']:.0%} wrong among those answered, with {1 - one['delta']:.0%}"
        f" confidence. Of {facts['promises']['draws']} draws {one['broken']} broke it; on average"
        f" {one['mean_coverage']:.1%} were answered, {one['mean_error']:.1%} of them wrongly. Sets of"
        f" labels held the label in {sets['mean_coverage']:.1%} of the texts ({1 - sets['alpha']:.0%}"
        f" promised), with {sets['mean_size']} labels on average. Not answered: {unknown}.",
    ]


def wrong_labels(results: dict[str, Any]) -> list[str]:
    facts = results.get("suspects", {}).get("results", {})
    if not facts:
        return []
    return [
        "",
        f"## Wrong labels: {facts['flipped']} of banking77's flipped, mean of {facts['seeds']} draws",
        "",
        "| | found | precision | recall |",
        "|---|---|---|---|",
        *(
            f"| {name} | {side['found']:.0f} | {side['precision']:.3f} | {side['recall']:.3f} |"
            for name, side in facts["sides"].items()
        ),
    ]


def choosing(results: dict[str, Any]) -> list[str]:
    facts = results.get("choosing", {}).get("results", {})
    if not facts:
        return []
    budgets = list(facts["accuracy"]["random"])
    lines = [
        "",
        "## Labels asked for one by one: banking77, accuracy after so many",
        "",
        f"| | {' | '.join(budgets)} |",
        f"|---{'|---' * len(budgets)}|",
    ]
    ways = {"chosen": "chosen by the tool", "unsure": "breaking ties alone", "random": "random"}
    for way, name in ways.items():
        lines.append(f"| {name} | {' | '.join(map(str, facts['accuracy'][way].values()))} |")
    return lines


def comparing(results: dict[str, Any]) -> list[str]:
    facts = results.get("comparing", {}).get("results", {})
    if not facts:
        return []
    sizes = facts["sizes"]
    heads = [f"{size['rows']:,} ({size['vectors_mb']} MB)" for size in sizes]
    names = dict.fromkeys(name for size in sizes for name in size["work"])
    lines = [
        "",
        "## Comparing many vectors: CPU s of one thread, peak MB with the vectors",
        "",
        f"| | {' | '.join(heads)} |",
        f"|---{'|---' * len(sizes)}|",
    ]
    for name in names:
        done = [size["work"].get(name) for size in sizes]
        cells = [f"{d['cpu_s']} s, {d['peak_mb']:,}" if d else "not measured" for d in done]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for size in sizes:
        found = ", ".join(f"{share:.1%} of the {k} nearest" for k, share in size["recall"].items())
        if found:
            lines += ["", f"Found at {size['rows']:,} rows, each row itself among them: {found}."]
    return lines


def oddities(results: dict[str, Any]) -> list[str]:
    facts = results.get("oddities", {}).get("results", {})
    if not facts:
        return []
    lines = [
        "",
        "## Near duplicates and outliers, beside semhash and scikit-learn on the same vectors",
        "",
        "| near duplicates of banking77 | given up | of these with no near one kept | kept near another | CPU s |",
        "|---|---|---|---|---|",
    ]
    for threshold, sides in facts["near_duplicates"].items():
        for side, told in sides.items():
            lines.append(f"| {side}, from {threshold} on | {' | '.join(map(str, told.values()))} |")
    lines += ["", "| strangers among them, as outliers | found | of | CPU s |", "|---|---|---|---|"]
    lines += [
        f"| {side} | {' | '.join(map(str, told.values()))} |"
        for side, told in facts["outliers"].items()
    ]
    return lines


def machines(results: dict[str, Any]) -> list[str]:
    lines = ["", "## Runs", "", "| benchmark | command | machine | commit |", "|---|---|---|---|"]
    for name, run in results.items():
        machine, given = run["machine"], " ".join(run["arguments"])
        command = f"`python benchmarks/run.py {name}{' -- ' + given if given else ''}`"
        where = f"{machine['cores']} cores, {machine['cpu']}, Python {machine['python']}"
        lines.append(f"| {name} | {command} | {where} | {run['commit']} |")
    return lines


def main() -> None:
    results = read()
    lines = [
        "# Benchmarks",
        "",
        "Made by `python benchmarks/report.py` from `benchmarks/results/*.json`. The machine is shared:"
        " ratios inside one run hold, absolute figures vary.",
        "",
        *targets(results),
        *retrieval(results),
        *relevance(results),
        *classification(results),
        *peers(results),
        *client(results),
        *limits(results),
        *labelling(results),
        *wrong_labels(results),
        *choosing(results),
        *oddities(results),
        *comparing(results),
        *machines(results),
    ]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
