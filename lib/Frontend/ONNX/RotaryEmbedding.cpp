// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RotaryEmbedding: pairs of numbers turned by an angle of their position.
#include "Compose.h"

using namespace mlir;

namespace cim::onnx {

namespace {
/// x as batch x heads x sequence x size, or batch x sequence x heads x size.
struct Embedding {
  NodeBinder &b;
  Value x;
  int64_t batch, sequence, turned; ///< numbers of a head that turn
  bool isSequenceFirst, isInterleaved;

  /// The cosines or sines of operand `index`, to broadcast to half of x.
  Value angles(size_t index) const;
  /// The first or second number of every pair.
  Value half(int64_t which) const {
    int64_t size = turned / 2;
    return isInterleaved ? sliceAlong(b, x, 3, which, size, 2)
                         : sliceAlong(b, x, 3, which * size, size);
  }
  Value join(Value first, Value second) const;
};
} // namespace

Value Embedding::angles(size_t index) const {
  Value cache = b.floatInput(index);
  if (b.hasInput(3))
    cache = b.create<nn::GatherOp>(cache, b.integerInput(3), int64_t(0));
  SmallVector<int64_t> expected{batch, sequence, turned / 2};
  if (b.failed())
    return {};
  if (shapeOf(cache) != expected) {
    b.error() << "expected operand " << index << " to give angles of shape "
              << shapeText(expected) << ", but got "
              << shapeText(shapeOf(cache));
    return {};
  }
  expected.insert(expected.begin() + (isSequenceFirst ? 2 : 1), 1);
  return b.createReshape(cache, expected);
}

Value Embedding::join(Value first, Value second) const {
  if (b.failed())
    return {};
  if (!isInterleaved)
    return b.create<nn::ConcatOp>(ValueRange{first, second}, int64_t(3));
  SmallVector<int64_t> shape = shapeOf(first);
  shape[3] *= 2;
  return b.createReshape(stack(b, {first, second}, 4), shape);
}

static LogicalResult importRotaryEmbedding(NodeBinder &b) {
  bool isInterleaved = b.getBool("interleaved", false);
  int64_t turned = b.getInt("rotary_embedding_dim", 0),
          heads = b.getInt("num_heads", 0);
  SmallVector<int64_t> given = b.shape(0), shape = given;
  Value x = b.floatInput(0);
  if (b.failed())
    return failure();
  if (given.size() == 3 && heads >= 1 && given[2] % heads == 0)
    shape = {given[0], given[1], heads, given[2] / heads};
  if (shape.size() != 4)
    return b.error() << "expected an operand of rank 4, or of rank 3 and "
                        "'num_heads' that divides its last dimension, but got "
                     << shapeText(given) << " and " << heads;
  bool isSequenceFirst = given.size() == 3;
  if (turned == 0)
    turned = shape[3];
  if (turned < 2 || turned % 2 != 0 || turned > shape[3])
    return b.error() << "expected an even number of at most " << shape[3]
                     << " to be turned, but got " << turned;
  Embedding e{b,
              b.createReshape(x, shape),
              shape[0],
              shape[isSequenceFirst ? 1 : 2],
              turned,
              isSequenceFirst,
              isInterleaved};
  Value cosine = e.angles(1), sine = e.angles(2);
  Value first = e.half(0), second = e.half(1);
  auto times = [&](Value left, Value right) {
    return b.create<nn::MulOp>(left, right);
  };
  Value real = b.create<nn::SubOp>(times(cosine, first), times(sine, second));
  Value imaginary =
      b.create<nn::AddOp>(times(sine, first), times(cosine, second));
  Value result = e.join(real, imaginary);
  if (turned < shape[3] && !b.failed())
    result = b.create<nn::ConcatOp>(
        ValueRange{result, sliceAlong(b, e.x, 3, turned, shape[3] - turned)},
        int64_t(3));
  return b.result(b.createReshape(result, given));
}

void registerRotaryEmbedding(HandlerTable &table) {
  table.add("RotaryEmbedding", {Place::Digital, ""},
            {{23, importRotaryEmbedding}});
}

} // namespace cim::onnx
