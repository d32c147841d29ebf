"""The report as one file for a browser, and its figures as flat tables and pictures. Needs no AWS and no queue.

* `material`: what was named → the metrics files, each with its case and round, and the experiment's verdicts;
* `tables`: material → flat tables, the one source of CSV, Parquet, JSON and of the page's raw data;
* `cases`: one line of figures per case, whether an experiment judged them or not;
* `answer`: what all that says, in words;
* `charts/`: one file per picture, found by being there;
* `page`: all of it in one HTML file; `export` and `png`: the same in other forms; `output`: where they may be written.
"""
