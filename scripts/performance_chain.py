"""Sections of docs/performance.md about the whole chain: time, memory, real clips, steadiness, pasted faces."""

from __future__ import annotations

from scripts.performance_table import Result, percent, section, table

BUDGETS = {"one_steady_face": "one steady face", "four_faces": "four faces", "no_face": "no face"}
"""Picture of benchmarks.frame_budget -> its name in the table."""

EXTRA_TRACKS = """
Extra tracks: tracks more than faces in the clip; a face was lost and came back as another one, two faces were
switched, or something else was followed. Agreement with one viewer's labels is a sanity check, not a benchmark.
"""

MOVES = {
    "as_the_data": "as the data frames them",
    "scale": "scale by up to 10 %",
    "shift": "shift by up to 10 % of the crop",
    "roll": "roll by up to 15 degrees",
    "all_three": "all three",
}
"""Way to move a box in benchmarks.steadiness -> its name in the table."""


def chain(result: Result) -> str:
    """Write what each stage takes on the demo source."""
    bench = result["bench"]
    tail = (
        f"\n{bench['fps']} frames per second on one thread with the {bench['detector']} detector; "
        f"{percent(bench['non_model_share'])} of the time is spent neither in a net nor in the detector.\n"
    )
    return section("The chain on the demo source", result, _stages(bench["stages"]) + tail)


def frame_budget(result: Result) -> str:
    """Write what a frame costs with one face, with four, with none, and on clips."""
    rows = []
    for key, name in BUDGETS.items():
        if key in result:
            row = result[key]
            frame = row["frame"]
            costs = (frame["p50_ms"], frame["p95_ms"], row["mean_ms"], row["two_nets_mean_ms"], row["mean_ratio"])
            rows.append((name, *costs, row["frames_per_second"], percent(row["non_model_share"])))
    head = ("picture", "p50 ms", "p95 ms", "mean ms", "both nets once, mean ms", "ratio of the means")
    body = table((*head, "frames per second", "neither net nor detector"), rows)
    body += (
        "\nThe picture is shown again and again with fresh noise. Each frame is followed by one invoke of both nets: "
        "the ratio says what a frame costs, detector included, in units of the nets of one face.\n"
    )
    clips, memory = result["clips"], result["memory"]
    body += (
        f"\nAll listed clips: {clips['frames_per_second']} frames per second on one thread, "
        f"{percent(clips['non_model_share'])} of the time neither in a net nor in the detector.\n\n"
        f"{_stages(clips['stages'])}"
        f"\nResident memory over {memory['frames']} frames: {memory['mb_after_a_tenth']} MB after a tenth of them, "
        f"{memory['mb_at_the_end']} MB at the end.\n"
    )
    return section("What a frame costs", result, body)


def footprint(result: Result) -> str:
    """Write sizes, seconds to the first event and memory."""
    size, first = result["installed"], result["first_event_s"]["of_each_start"]
    rows = [
        ("light install, all packages", f"{size['all_mb']} MB"),
        ("our own packages in it", f"{size['own_package_mb']} MB"),
        (f"seconds to the first event of the demo, {len(first)} starts", ", ".join(map(str, first))),
        ("largest resident memory, the demo's libraries included", f"{result['resident_mb_with_demo_source']} MB"),
    ]
    return section("Footprint", result, table(("what", "figure"), rows))


def clips(result: Result) -> str:
    """Write what the chain makes of real clips, and how far a viewer agrees."""
    rows = [
        (
            name,
            row["frames"],
            percent(row["frames_with_listed_faces"]),
            row["tracks"],
            row.get("extra_tracks"),
            row["label_flips_per_minute"],
            row["frame"]["p50_ms"],
            row["frame"]["p95_ms"],
        )
        for name, row in result["clips"].items()
    ]
    head = ("clip", "frames", "right number of faces", "tracks", "extra tracks", "label changes a minute")
    body = table((*head, "p50 ms", "p95 ms"), rows) + _segments(result["segments"])
    detector = result["command"].rpartition("--detector ")[2]
    return section(f"The chain on real clips, detector {detector}", result, body)


def pasted_faces(result: Result) -> str:
    """Write what is lost between a labelled face and the chain's answer."""
    rows = [
        ("faces found", percent(result["found"])),
        ("right answers of the chain, a face not found counts as wrong", percent(result["accuracy_of_chain"])),
        ("right answers of those found", percent(result["accuracy_of_found"])),
        ("right answers of the same net on the bare faces", percent(result["accuracy_of_bare_faces"])),
        ("lost on the way, percentage points", result["points_lost"]),
        ("found faces where both answers agree", percent(result["answers_that_agree"])),
    ]
    note = (
        "\nLabelled faces that were not trained on are enlarged 2 to 4 times, rolled by up to 15 degrees and laid into "
        "frames of 640 x 480 without faces. The seam around a pasted face is something no camera shows.\n"
    )
    title = f"{result['n']} known faces through the whole chain, detector {result['detector']}"
    return section(title, result, table(("what", "figure"), rows) + note)


def steadiness(result: Result) -> str:
    """Write how far points move when nothing does, and how a moved box changes their error."""
    still = [
        (name, row["frames"], row.get("face_px"), row.get("raw_px_per_frame"), row.get("smoothed_px_per_frame"))
        for name, row in result["still_face"].items()
    ]
    head = ("first frame of", "frames", "face px", "as the net answers, px a frame", "smoothed, px a frame")
    moved = [
        (MOVES.get(way, way), f"{row['rmse_px']:.3f}", f"{100 * row['growth']:+.1f} %")
        for way, row in result["moved_box"].items()
    ]
    body = (
        "One frame again and again with fresh noise (standard deviation 3 grey levels); mean distance that a point "
        f"moves between two frames:\n\n{table(head, still)}\n"
        "Validation faces of the keypoint net, cropped by boxes that are off:\n\n"
        f"{table(('box', 'RMSE px of 96', 'growth'), moved)}"
    )
    return section("How steady the points are", result, body)


def _stages(stages: Result) -> str:
    rows = [(stage, row["p50_ms"], row["p95_ms"], row["runs"]) for stage, row in stages.items()]
    return table(("stage", "p50 ms", "p95 ms", "runs"), rows)


def _segments(found: Result) -> str:
    return (
        f"\nSegments that one viewer labelled with one of the five emotions ({found['frames']} frames): "
        f"{percent(found['answered'], 0)} of the frames got an answer, {percent(found['right_of_answered'], 0)} of the "
        f"answers agree. Neutral segments ({found['neutral_frames']} frames): {percent(found['neutral_uncertain'], 0)} "
        f"uncertain.\n"
    )
