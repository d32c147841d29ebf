"""The copy of a run's metrics file in S3 while the run goes on, and the lease that says who may write it.

During a run the whole lines written since the last time become one more object, a part, which is never written again.
Its name holds the epoch of the orchestrator that wrote it, the epoch whose copy that one went on from, and the byte at
which it begins in the file. The copy is what comes out when the parts are laid down that the newest orchestrator stands
on: its own win over late ones of the orchestrator before it, and those of one that it knew nothing of do not count (it
had taken the run over and was taken over itself, before its first part was there). When the run has ended, one object
holds the whole file, and the parts and the lease go.
"""
