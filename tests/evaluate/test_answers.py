import json

from kgpipe.evaluate.answers import answers


def test_an_answer_is_right_when_it_says_the_gold_set_and_nothing_else(tmp_path):
    questions = [
        {"id": "q1", "question": "Who designed COBOL?", "kind": "one hop", "answers": ["Grace Hopper", "Jean Sammet"]},
        {"id": "q2", "question": "When was Grace Hopper born?", "kind": "one hop", "answers": ["9 December 1906"]},
        {"id": "q3", "question": "How many machines did IBM make?", "kind": "count", "answers": [3]},
        {"id": "q4", "question": "Where is IBM?", "kind": "one hop", "answers": ["Armonk"]},
        {"id": "q5", "question": "Who founded IBM?", "kind": "one hop", "answers": ["Charles Flint"]},
        {"id": "q6", "question": "Whom did IBM marry?", "kind": "unanswerable", "answers": []},
    ]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)))
    (tmp_path / "aliases.json").write_text(json.dumps({"Jean Sammet": ["Jean E. Sammet", "Sammet"]}))
    said = {
        "Who designed COBOL?": [["Sammet"], ["grace hopper"]],
        "When was Grace Hopper born?": [["1906-12-09"]],
        "How many machines did IBM make?": [[3]],
        "Where is IBM?": [["Armonk"], ["Endicott"]],
        "Who founded IBM?": [],
        "Whom did IBM marry?": [],
    }

    found = answers(
        tmp_path / "questions.jsonl",
        lambda question: {"answers": said[question]},
        aliases_file=tmp_path / "aliases.json",
    )

    assert found == {
        "questions": 6,
        "right": 4,
        "wrong": 1,
        "abstained": 1,
        "by_kind": {
            "count": {"right": 1, "wrong": 0, "abstained": 0},
            "one hop": {"right": 2, "wrong": 1, "abstained": 1},
            "unanswerable": {"right": 1, "wrong": 0, "abstained": 0},
        },
        "misses": [
            {
                "id": "q4",
                "question": "Where is IBM?",
                "kind": "one hop",
                "outcome": "wrong",
                "given": ["Armonk", "Endicott"],
                "expected": ["Armonk"],
            },
            {
                "id": "q5",
                "question": "Who founded IBM?",
                "kind": "one hop",
                "outcome": "abstained",
                "given": [],
                "expected": ["Charles Flint"],
            },
        ],
    }
