"""Writes ``open_inference_pb2.py`` from ``open_inference.proto``; run it as a module.

Needs ``grpcio-tools``. The messages get a descriptor pool of their own: a stage that itself calls
such a server, with a client that brings its own copy of the protocol, may live in our process.
"""

import subprocess
import sys
from pathlib import Path

_SHARED, _OWN = "_descriptor_pool.Default()", "_descriptor_pool.DescriptorPool()"


def main() -> None:
    """Run the compiler, then give its output a pool of its own."""
    folder = Path(__file__).parent
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--python_out={folder}"]
    subprocess.run([*command, "open_inference.proto"], check=True)
    generated = folder / "open_inference_pb2.py"
    generated.write_text(generated.read_text("utf-8").replace(_SHARED, _OWN), "utf-8")


if __name__ == "__main__":
    main()
