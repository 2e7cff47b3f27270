"""Emulated providers on loopback, for the demo, `syncd sandbox`, tests and benchmarks: `with serve(Sandbox(users=50)) as url: ...`"""

from syncd.sandbox.faults import ALWAYS, Fault, FaultPlan
from syncd.sandbox.journal import RequestRecord, WriteRecord
from syncd.sandbox.people import people_csv
from syncd.sandbox.sandbox import Sandbox
from syncd.sandbox.server import serve

__all__ = ["ALWAYS", "Fault", "FaultPlan", "RequestRecord", "Sandbox", "WriteRecord", "people_csv", "serve"]
