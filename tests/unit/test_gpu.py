"""GPU readings. No GPU runs where these tests do: the arithmetic alone is tested, on a module
shaped like ``pynvml``; that a machine without a GPU says so is tested on the real one."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from harness.gpu import (
    SCHEMA,
    GpuReading,
    Gpus,
    describe_gpus,
    energies_j,
    gpu_table,
    machine_gpus,
    open_gpus,
)
from harness.record import GPU_COLUMNS


class UnsupportedError(Exception):
    """Stands for ``pynvml.NVMLError``."""


def refuse(*_: object) -> Any:
    raise UnsupportedError("Not Supported")


def answer(value: object) -> Callable[..., Any]:
    return lambda *_: value


def process(pid: int, size: int | None) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=size)


def nvml(**changed: Any) -> Any:
    answers = {
        "nvmlInit": answer(None),
        "nvmlDeviceGetCount": answer(1),
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": answer("GPU of a test"),
        "nvmlSystemGetDriverVersion": answer("1.2"),
        "nvmlDeviceGetUtilizationRates": answer(SimpleNamespace(gpu=40, memory=3)),
        "nvmlDeviceGetMemoryInfo": answer(SimpleNamespace(used=7000)),
        "nvmlDeviceGetPowerUsage": answer(250_000),
        "nvmlDeviceGetTotalEnergyConsumption": answer(9_000_000),
        "nvmlDeviceGetMigMode": refuse,
        "nvmlDeviceGetComputeRunningProcesses": answer([]),
        "nvmlDeviceGetGraphicsRunningProcesses": answer([]),
    }
    return SimpleNamespace(
        NVMLError=UnsupportedError, NVML_DEVICE_MIG_ENABLE=1, **{**answers, **changed}
    )


def reading(t_s: float, power_w: float | None, counted_j: float | None = None) -> GpuReading:
    return GpuReading(int(t_s * 1e9), 0, 0.5, 10, power_w, counted_j, {})


@pytest.mark.skipif(isinstance(machine_gpus(), Gpus), reason="this machine has a GPU")
def test_a_machine_without_a_gpu_says_why_in_one_sentence() -> None:
    assert describe_gpus().startswith("no GPU: ")
    assert "\n" not in describe_gpus()


def test_a_driver_that_fails_or_lists_none_is_no_gpu() -> None:
    assert open_gpus(nvml(nvmlInit=refuse)) == "no GPU: Not Supported"
    assert open_gpus(nvml(nvmlDeviceGetCount=answer(0))) == "no GPU: the NVIDIA driver lists none"


def test_units_and_every_context_of_a_process() -> None:
    module = nvml(
        nvmlDeviceGetComputeRunningProcesses=answer([process(5, 100), process(5, 20)]),
        nvmlDeviceGetGraphicsRunningProcesses=answer([process(5, 120), process(6, None)]),
    )
    (found,) = Gpus(module).read()
    assert (found.utilization, found.memory_bytes) == (0.4, 7000)
    assert (found.power_w, found.counted_j) == (250.0, 9000.0)
    assert found.held == {5: 120, 6: 0}


def test_what_a_device_does_not_tell_is_none() -> None:
    questions = [name for name in vars(nvml()) if name.startswith("nvmlDeviceGet")]
    told = {"nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"}
    module = nvml(**{name: refuse for name in questions if name not in told})
    (found,) = Gpus(module).read()
    assert (found.utilization, found.memory_bytes, found.power_w, found.counted_j) == (None,) * 4
    assert "energy unknown" in Gpus(module).describe()


def test_mig_and_the_source_of_energy_are_described() -> None:
    plain = Gpus(nvml()).describe()
    assert plain == "0: GPU of a test, energy counted; driver 1.2"
    parted = nvml(nvmlDeviceGetMigMode=answer([1, 1]), nvmlDeviceGetTotalEnergyConsumption=refuse)
    assert "energy integrated, in MIG parts" in Gpus(parted).describe()


def test_energy_is_the_counters_growth_or_integrated_power_or_unknown() -> None:
    assert energies_j([reading(0, 1.0, 50.0), reading(2, 1.0, 80.0)]) == [0.0, 30.0]
    # 100 W rising to 300 W over 2 s, then steady for 1 s.
    powers = [reading(0, 100.0), reading(2, 300.0), reading(3, 300.0)]
    assert energies_j(powers) == [0.0, 400.0, 700.0]
    assert energies_j([reading(0, 100.0, 50.0), reading(2, 300.0)]) == [0.0, 400.0]
    assert energies_j([reading(0, 100.0), reading(2, None)]) == [None, None]


def test_a_row_for_the_device_and_one_for_each_component_that_holds_it() -> None:
    held = {1: 100, 2: 20, 3: 7, 4: 5}
    table = gpu_table(
        [GpuReading(5, 0, 0.5, 200, 90.0, 3.0, held)], {1: "model", 2: "model", 3: "gateway"}
    )
    assert tuple(SCHEMA.names) == GPU_COLUMNS
    assert table.schema == pa.schema(SCHEMA)
    rows = table.to_pylist()
    assert [(row["component"], row["memory_bytes"]) for row in rows] == [
        (None, 200),
        ("model", 120),
        ("gateway", 7),
    ]
    assert rows[0]["energy_j"] == 0.0
    assert rows[1]["utilization"] is None
