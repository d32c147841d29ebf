"""An experiment: cases, each an ordinary run, in randomised rounds; and what they say beside each other.

* `request`, `axes`, `matrix`, `plan_file` → `cases`: what is to be compared, validated before anything is touched;
* `schedule`: which case runs next, a pure function of the manifest;
* `places`, `running`: performs that, each case an ordinary run with a metrics file of its own;
* `manifest`: the journal of the experiment, `experiment.jsonl`, in the folder of its metrics files;
* `reading` → `figures` → `judging` → `result`: files to verdicts; needs no AWS and no queue.
"""
