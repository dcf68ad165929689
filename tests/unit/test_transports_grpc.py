"""The Open Inference Protocol with others: NVIDIA's client, and a server on NVIDIA's stubs."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2 as foreign
from tritonclient.grpc import service_pb2_grpc as foreign_stubs
from tritonclient.utils import InferenceServerException

from architectures import ensemble
from architectures.contract import Problem
from architectures.graph import Outputs
from architectures.microservices import ARCHITECTURE
from architectures.microservices.hop import Hop, Pace
from architectures.microservices.over_grpc.sender import connect
from architectures.server_config import ServerConfig
from architectures.spec import EnsembleChoice, ServingPolicy
from harness.ports import PORTS
from tests.stage_services import SERVICE, Services, running, services

STAGE = "classify_residual"
BATCH = 5


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of the service of one of the built-in ensemble's models."""
    target = f"127.0.0.1:{PORTS.free()}"
    role = f"service-{STAGE}"
    config = ServerConfig(
        architecture="microservices",
        variant="grpc",
        ensemble=EnsembleChoice("architectures.ensemble", "tiny"),
        policy=ServingPolicy(),
        cores=1,
        nonce="n",
        port=PORTS.free(),
        directory=str(tmp_path_factory.mktemp("classifier")),
        components=(),
        options=next(v.options for v in ARCHITECTURE.variants if v.name == "grpc"),
        role=role,
        peers={role: target},
    )
    with running("architectures.microservices.service", config):
        yield target


@pytest.fixture
def client(classifier: str) -> Iterator[Any]:
    with triton.InferenceServerClient(classifier) as client:
        yield client


def crops() -> list[np.ndarray[Any, Any]]:
    """What the stages before give it, for a few of the corpus's images."""
    members: Sequence[Any] = [{"body": e.body} for e in ensemble.examples("load", BATCH, 5)]
    decoded = run("decode", members)
    boxes = run("detect", [{"thumbnail": one["thumbnail"]} for one in decoded])
    pairs = zip(decoded, boxes, strict=True)
    return [
        one["crop"]
        for one in run("crop", [{"working": a["working"], "box": b["box"]} for a, b in pairs])
    ]


def run(stage: str, members: Sequence[Any]) -> list[Outputs]:
    results = ensemble.load_stage(stage, "tiny", "cpu", 1)(members)  # type: ignore[arg-type, operator]
    assert not any(isinstance(result, Problem) for result in results)
    return list(results)


def test_tritons_client_gets_the_scores_that_the_stage_gives_in_process(client: Any) -> None:
    batch = crops()
    expected = [one["scores"] for one in run(STAGE, [{"crop": crop} for crop in batch])]
    asked = triton.InferInput("crop", [BATCH, *batch[0].shape], "UINT8")
    asked.set_data_from_numpy(np.stack(batch))
    result = client.infer(STAGE, [asked], request_id="7")
    np.testing.assert_allclose(result.as_numpy("scores"), expected, atol=1e-4)
    assert result.get_response().id == "7"
    assert result.get_response().parameters["batch_size"].string_param == str([BATCH] * BATCH)


def test_tritons_client_is_told_who_is_there(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(STAGE)
    assert not client.is_model_ready("another")
    assert client.get_server_metadata().name == "servebench"
    metadata = client.get_model_metadata(STAGE)
    assert [one.name for one in metadata.inputs] == ["crop"]
    assert [one.name for one in metadata.outputs] == ["scores"]


@pytest.mark.parametrize(
    ("model", "rows", "values", "words"),
    [
        ("another", 1, 1, "no model 'another' here, only classify_residual"),
        (STAGE, 500, 500, "too few for 500"),
        (STAGE, 1, 2, "does not fit its shape"),
    ],
)
def test_tritons_client_is_refused_in_words(
    client: Any, model: str, rows: int, values: int, words: str
) -> None:
    asked = triton.InferInput("crop", [values, 1], "UINT8")
    asked.set_data_from_numpy(np.zeros((values, 1), np.uint8))
    asked.set_shape([rows, 1])
    with pytest.raises(InferenceServerException, match=words):
        client.infer(model, [asked])


class ForeignServer(foreign_stubs.GRPCInferenceServiceServicer):
    """Doubles ``x``; NVIDIA's messages, values in typed contents, no parameters of ours."""

    async def ServerReady(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return foreign.ServerReadyResponse(ready=True)

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.model_name != "double":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such model")
        values = np.frombuffer(request.raw_input_contents[0], np.float32) * 2
        response = foreign.ModelInferResponse(model_name="double")
        output = response.outputs.add(name="y", datatype="FP32", shape=request.inputs[0].shape)
        output.contents.fp32_contents.extend(values.tolist())
        return response


@asynccontextmanager
async def foreign_server() -> AsyncIterator[str]:
    server = grpc.aio.server()
    foreign_stubs.add_GRPCInferenceServiceServicer_to_server(ForeignServer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def test_a_server_of_another_make_may_stand_in_for_a_stage() -> None:
    async def scene() -> list[Any]:
        async with foreign_server() as target, connect(target, ServingPolicy()) as transport:
            assert await transport.is_ready()
            hop = Hop("double", transport, Pace(4, 1, 0.0))
            rows = [np.full(3, i, np.float32) for i in range(6)]
            results = await asyncio.gather(*[hop.call({"x": row}) for row in rows])
            with pytest.raises(Problem) as caught:
                await Hop("another", transport, Pace(4, 1, 0.0)).call({"x": rows[0]})
            assert caught.value.slug == "stage-failed"
            return list(results)

    results = asyncio.run(scene())
    assert [one.outputs["y"].tolist() for one in results] == [[2.0 * i] * 3 for i in range(6)]
    assert [one.batch_size for one in results] == [4] * 4 + [2] * 2


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with services("grpc", tmp_path_factory.mktemp("probed")) as made:
        made.start()
        yield made


def test_a_plain_client_s_request_is_refused_as_a_whole(probed: Services) -> None:
    asked = triton.InferInput("refuse", [2], "BOOL")
    asked.set_data_from_numpy(np.array([False, True]))
    with triton.InferenceServerClient(probed.peers[SERVICE]) as client:
        with pytest.raises(InferenceServerException, match=r"No\."):
            client.infer("probe", [asked])
        asked.set_data_from_numpy(np.array([False, False]))
        assert client.infer("probe", [asked]).as_numpy("more").tolist() == [b"raw", b"raw"]


def test_it_listens_on_the_loopback_alone(probed: Services) -> None:
    port = int(probed.peers[SERVICE].rpartition(":")[2])
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    lines += Path("/proc/net/tcp6").read_text().splitlines()[1:]
    listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    places = [place for place in listening if place.endswith(f":{port:04X}")]
    assert places
    assert all(place.endswith(f"0100007F:{port:04X}") for place in places), places
