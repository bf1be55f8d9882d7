"""The packaged model's weights in a graph made for the CPU: int8 products, fused operators.

The model comes as an export with int8 weights that are turned into float32 before use. Here the
same weights are multiplied as integers. Weights have 7 bits and a scale for each output, since
AVX2 adds two 8 bit products in 16 bits and would saturate. Activations have 8 bits and one scale
for the whole input, so each run gets one text: then no text changes another one's vector. The two
products of a feed-forward layer, which lose most by a common scale, get their rows divided by
the row's largest value first: that takes the mean cosine to float32 from .992 to .996.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

LAYERS = 6
HEADS = 12
EPSILON = 1e-12
"""Of the layer normalisations, from the model's ``config.json``."""
OPSET = 17
IR_VERSION = 8
FUSED = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""
WEIGHT_LIMIT = 64
"""The largest magnitude of a 7 bit weight, as in ONNX Runtime's ``reduce_range``."""
GELU_MINIMUM = 0.17
"""GELU's lowest value is -0.17: a row is divided by no less."""
EMBEDDINGS = "inner.embeddings."
ENCODER = "inner.encoder."


def quantize(source: bytes) -> bytes:
    """Return the graph as serialized ONNX: ``input_ids`` (1, n) to ``last_hidden_state``."""
    import onnx

    graph: bytes = _Encoder(_Weights(onnx.load_from_string(source))).build().SerializeToString()
    return graph


class _Weights:
    """The weights of the packaged export, by the names they have in BERT."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        # The export numbers its matrices; each is known by the bias that is added to its product.
        products = {node.output[0]: node for node in model.graph.node if node.op_type == "MatMul"}
        self._matrices = {
            node.input[1]: products[node.input[0]].input[1]
            for node in model.graph.node
            if node.op_type == "Add" and node.input[0] in products
        }

    def array(self, name: str) -> NDArray[Any]:
        from onnx import numpy_helper

        return numpy_helper.to_array(self._tensors[name])

    def dequantized(self, name: str) -> NDArray[np.float32]:
        scaled: NDArray[np.float32] = self.array(f"{name}_q") * self.array(f"{name}_scale")
        return scaled

    def linear(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the matrix (inputs, outputs) and the bias of a linear layer."""
        bias = f"{ENCODER}{name}.bias"
        return self.dequantized(self._matrices[bias]), self.array(bias)


class _Encoder:
    """Writes BERT's encoder down, operator by operator."""

    def __init__(self, weights: _Weights) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def build(self) -> onnx.ModelProto:
        from onnx import TensorProto, helper

        hidden = self._embeddings()
        for layer in range(LAYERS):
            hidden = self._layer(hidden, f"layer.{layer}.")
        self._nodes[-1].output[0] = "last_hidden_state"
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "n"])
        out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [1, "n", 384])
        return helper.make_model(
            helper.make_graph(self._nodes, "encoder", [ids], [out], self._constants),
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)],
            ir_version=IR_VERSION,
        )

    def _embeddings(self) -> str:
        weights, tokens = self._weights, f"{EMBEDDINGS}word_embeddings.weight"
        # The table stays int8: only the rows of a text's own tokens become float32.
        rows = self._add("Gather", self._constant(weights.array(f"{tokens}_q")), "input_ids")
        scales = self._add("Gather", self._constant(weights.array(f"{tokens}_scale")), "input_ids")
        tokens = self._add("Mul", self._add("Cast", rows, to=1), scales)
        places = weights.dequantized(f"{EMBEDDINGS}position_embeddings.weight")
        places = places + weights.array(f"{EMBEDDINGS}token_type_embeddings.weight")[0]
        length = self._add("Shape", "input_ids", start=1, end=2)
        zero = self._constant(np.zeros(1, dtype=np.int64))
        here = self._add("Slice", self._constant(places), zero, length, zero)
        normal = self._normalisation(f"{EMBEDDINGS}LayerNorm")
        return self._add(
            "LayerNormalization", self._add("Add", tokens, here), *normal, epsilon=EPSILON
        )

    def _layer(self, hidden: str, prefix: str) -> str:
        heads = [
            self._linear(hidden, f"{prefix}attention.self.{part}")
            for part in ("query", "key", "value")
        ]
        mixed = self._add("MultiHeadAttention", *heads, domain=FUSED, num_heads=HEADS)
        mixed = self._linear(mixed, f"{prefix}attention.output.dense")
        hidden = self._residual(mixed, hidden, f"{prefix}attention.output.LayerNorm")
        inner = self._row_scaled_linear(
            hidden, self._add("Abs", hidden), f"{prefix}intermediate.dense"
        )
        inner = self._add("Gelu", inner, domain=FUSED)
        inner = self._row_scaled_linear(inner, inner, f"{prefix}output.dense")
        return self._residual(inner, hidden, f"{prefix}output.LayerNorm")

    def _residual(self, new: str, old: str, name: str) -> str:
        normal = self._normalisation(f"{ENCODER}{name}")
        return self._add("SkipLayerNormalization", new, old, *normal, domain=FUSED, epsilon=EPSILON)

    def _normalisation(self, name: str) -> tuple[str, str]:
        arrays = (self._weights.array(f"{name}.{part}") for part in ("weight", "bias"))
        gain, bias = (self._constant(array) for array in arrays)
        return gain, bias

    def _linear(self, hidden: str, name: str) -> str:
        matrix, bias = self._weights.linear(name)
        return self._product(hidden, matrix, self._constant(bias))

    def _row_scaled_linear(self, hidden: str, magnitudes: str, name: str) -> str:
        matrix, bias = self._weights.linear(name)
        largest = self._add("ReduceMax", magnitudes, axes=[-1])
        floor = self._constant(np.float32(GELU_MINIMUM))
        largest = self._add("Max", largest, floor)
        product = self._product(self._add("Div", hidden, largest), matrix)
        return self._add("Add", self._add("Mul", product, largest), self._constant(bias))

    def _product(self, hidden: str, matrix: NDArray[np.float32], *bias: str) -> str:
        scale = np.abs(matrix).max(axis=0) / np.float32(WEIGHT_LIMIT)
        whole = np.rint(matrix / scale).astype(np.int8)
        constants = (whole, scale, np.zeros(len(scale), dtype=np.int8))
        names = [self._constant(array) for array in constants]
        return self._add("DynamicQuantizeMatMul", hidden, *names, *bias, domain=FUSED)

    def _constant(self, array: NDArray[Any] | np.float32) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def _add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = f"{operator}_{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        )
        return output
