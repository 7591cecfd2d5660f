// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LinearAttention, a step for each position, and CausalConvWithState.
#include "Activations.h"
#include "Compose.h"
#include <cmath>

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// LinearAttention
//===----------------------------------------------------------------------===//

namespace {
/// The state is a matrix for each head: S += k v', o = q' S.
class LinearAttention {
public:
  explicit LinearAttention(NodeBinder &b) : b(b) {}
  LogicalResult run();

private:
  enum Input { Query, Key, Values, PastState, Decay, Beta };

  LogicalResult readRule();
  LogicalResult readOperands();
  LogicalResult checkWidth(Input input, ArrayRef<int64_t> widths);
  void step(int64_t position);

  /// What step `position` reads, of the given shape.
  Value at(Value x, int64_t position, ArrayRef<int64_t> shape) {
    return b.createReshape(sliceAlong(b, x, 1, position, 1), shape);
  }

  NodeBinder &b;
  bool isGated = false, isDelta = false;
  int64_t queryHeads = 0, heads = 0, batch = 0, steps = 0, keySize = 0,
          valueSize = 0;
  float scale = 0;
  Value query, key, values, decay, beta;
  Value state; ///< null while it is 0
  SmallVector<Value> outputs;
};
} // namespace

LogicalResult LinearAttention::readRule() {
  b.ignore({"chunk_size"});
  StringRef rule = b.getString("update_rule", "gated_delta");
  isGated = rule == "gated" || rule == "gated_delta";
  isDelta = rule == "delta" || rule == "gated_delta";
  if (b.failed())
    return failure();
  if (rule != "linear" && !isGated && !isDelta)
    return b.error() << "expected 'update_rule' to be linear, gated, delta or "
                        "gated_delta, but got '"
                     << rule << "'";
  if (b.hasInput(Decay) != isGated || b.hasInput(Beta) != isDelta)
    return b.error() << "expected a decay for gated rules only and a rate for "
                        "delta rules only, but the rule is '"
                     << rule << "'";
  return success();
}

LogicalResult LinearAttention::checkWidth(Input input,
                                          ArrayRef<int64_t> widths) {
  SmallVector<int64_t> shape = b.shape(input);
  if (b.failed())
    return failure();
  if (shape.size() == 3 && shape[0] == batch && shape[1] == steps &&
      llvm::is_contained(widths, shape[2]))
    return success();
  return b.error() << "expected operand " << int(input) << " of shape "
                   << shapeText({batch, steps, widths.front()}) << ", but got "
                   << shapeText(shape);
}

LogicalResult LinearAttention::readOperands() {
  queryHeads = b.getInt("q_num_heads", 0);
  heads = b.getInt("kv_num_heads", 0);
  scale = b.getFloat("scale", 0);
  SmallVector<int64_t> queryShape = b.shape(Query),
                       valueShape = b.shape(Values);
  query = b.floatInput(Query);
  key = b.floatInput(Key);
  values = b.floatInput(Values);
  if (b.failed())
    return failure();
  if (heads < 1 || queryHeads < 1 || queryHeads % heads != 0)
    return b.error() << "expected 'q_num_heads' to be a multiple of "
                        "'kv_num_heads', but got "
                     << queryHeads << " and " << heads;
  if (queryShape.size() != 3 || queryShape[2] % queryHeads != 0 ||
      valueShape.size() != 3 || valueShape[2] % heads != 0)
    return b.error() << "expected queries and values as batch x sequence x "
                        "(heads * size), but got "
                     << shapeText(queryShape) << " and "
                     << shapeText(valueShape);
  batch = queryShape[0];
  steps = queryShape[1];
  keySize = queryShape[2] / queryHeads;
  valueSize = valueShape[2] / heads;
  if (scale == 0)
    scale = 1 / std::sqrt(float(keySize));
  if (failed(checkWidth(Key, heads * keySize)) ||
      failed(checkWidth(Values, heads * valueSize)))
    return failure();
  if (isGated) {
    if (failed(checkWidth(Decay, {heads, heads * keySize})))
      return failure();
    decay = b.create<nn::ExpOp>(b.floatInput(Decay));
  }
  if (isDelta) {
    if (failed(checkWidth(Beta, {heads, 1})))
      return failure();
    beta = b.floatInput(Beta);
  }
  if (!b.hasInput(PastState))
    return success(!b.failed());
  SmallVector<int64_t> stateShape{batch, heads, keySize, valueSize};
  state = b.floatInput(PastState);
  if (!b.failed() && shapeOf(state) != stateShape)
    return b.error() << "expected a past state of shape "
                     << shapeText(stateShape) << ", but got "
                     << shapeText(shapeOf(state));
  return success(!b.failed());
}

void LinearAttention::step(int64_t position) {
  Value v = at(values, position, {batch, heads, 1, valueSize});
  if (isGated && state) {
    int64_t size = shapeOf(decay)[2] == heads ? 1 : keySize;
    state = b.create<nn::MulOp>(state,
                                at(decay, position, {batch, heads, size, 1}));
  }
  if (isDelta && state) {
    Value known = b.create<nn::MatMulOp>(
        at(key, position, {batch, heads, 1, keySize}), state, Value(), false);
    v = b.create<nn::SubOp>(v, known);
  }
  if (isDelta)
    v = b.create<nn::MulOp>(
        v, at(beta, position, {batch, shapeOf(beta)[2], 1, 1}));
  Value added =
      b.create<nn::MulOp>(at(key, position, {batch, heads, keySize, 1}), v);
  state = state ? b.create<nn::AddOp>(state, added) : added;
  // Queries of several heads read one state.
  Value q = at(query, position, {batch, heads, queryHeads / heads, keySize});
  Value output = b.create<nn::MatMulOp>(q, state, Value(), false);
  outputs.push_back(
      b.createReshape(output, {batch, 1, queryHeads * valueSize}));
}

LogicalResult LinearAttention::run() {
  constexpr int64_t opsPerStep = 20;
  if (failed(readRule()) || failed(readOperands()) ||
      failed(b.checkUnrolling(
          llvm::SaturatingMultiply<uint64_t>(steps, opsPerStep))))
    return failure();
  for (int64_t position = 0; position < steps && !b.failed(); ++position)
    step(position);
  if (failed(b.result(state, 1)))
    return failure();
  Value all = b.create<nn::ConcatOp>(ValueRange(outputs), int64_t(1));
  return b.result(b.create<nn::MulOp>(all, b.createScalar(scale)));
}

static LogicalResult importLinearAttention(NodeBinder &b) {
  return LinearAttention(b).run();
}

//===----------------------------------------------------------------------===//
// CausalConvWithState
//===----------------------------------------------------------------------===//

static LogicalResult importCausalConv(NodeBinder &b) {
  StringRef activation = b.getString("activation", "none");
  Value x = b.floatInput(0), weights = b.floatInput(1),
        bias = b.optionalFloatInput(2);
  if (b.failed())
    return failure();
  if (activation != "none" && activation != "silu" && activation != "swish")
    return b.error() << "expected 'activation' to be none, silu or swish, but "
                        "got '"
                     << activation << "'";
  if (shapeOf(x).size() != 3 || shapeOf(weights).size() != 3)
    return b.error() << "expected operands of rank 3, but got "
                     << shapeText(shapeOf(x)) << " and "
                     << shapeText(shapeOf(weights));
  int64_t channels = shapeOf(x)[1], state = shapeOf(weights)[2] - 1;
  if (b.hasInput(3) && state > 0)
    x = b.create<nn::ConcatOp>(ValueRange{b.floatInput(3), x}, int64_t(2));
  else
    x = padAlong(b, x, 2, state, 0);
  if (b.failed())
    return failure();
  if (state > 0 &&
      failed(b.result(sliceAlong(b, x, 2, shapeOf(x)[2] - state, state), 1)))
    return failure();
  const int64_t one[] = {1}, none[] = {0, 0};
  Value y = b.create<nn::ConvOp>(x, weights, bias, ArrayRef<int64_t>(one),
                                 ArrayRef<int64_t>(one),
                                 ArrayRef<int64_t>(none), channels);
  return b.result(
      activation == "none"
          ? y
          : b.create<nn::MulOp>(y, createActivation(b, "sigmoid", y)));
}

void registerLinearAttention(HandlerTable &table) {
  table.add("LinearAttention", {Place::Digital, "one step after the other"},
            {{27, importLinearAttention}});
  table.add("CausalConvWithState", {Place::Crossbar, "constant weights, float"},
            {{27, importCausalConv}});
}

} // namespace cim::onnx
