// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention and FlexAttention: softmax(scale * Q * K' + bias) * V for every
// head.
#include "FlatIndex.h"
#include "Reduction.h"
#include "Subgraph.h"
#include <cmath>

using namespace mlir;

namespace cim::onnx {

using nn::shapeOf;

/// Queries, keys and values as batch x heads x sequence x size.
static LogicalResult checkShapes(NodeBinder &b, Value q, Value k, Value v) {
  ArrayRef<int64_t> qs = shapeOf(q), ks = shapeOf(k), vs = shapeOf(v);
  bool haveRank4 = qs.size() == 4 && ks.size() == 4 && vs.size() == 4;
  if (haveRank4 && qs[0] == ks[0] && qs[0] == vs[0] && ks[1] == vs[1] &&
      ks[1] > 0 && qs[1] % ks[1] == 0 && ks[2] == vs[2] && qs[3] == ks[3])
    return success();
  return b.error() << "expected queries, keys and values as batch x heads x "
                      "sequence x size that fit together, but got "
                   << shapeText(qs) << ", " << shapeText(ks) << " and "
                   << shapeText(vs);
}

/// Queries of several heads that share keys are rows of one matrix.
static Value product(NodeBinder &b, Value left, Value right,
                     bool isTransposed) {
  if (b.failed())
    return {};
  SmallVector<int64_t> rows(shapeOf(left)), shape(rows);
  int64_t heads = shapeOf(right)[1];
  rows[2] *= rows[1] / heads;
  rows[1] = heads;
  shape[3] = shapeOf(right)[isTransposed ? 2 : 3];
  Value result = b.create<nn::MatMulOp>(b.createReshape(left, rows), right,
                                        Value(), isTransposed);
  return b.createReshape(result, shape);
}

/// Queries times the scale of the scores.
static Value scaled(NodeBinder &b, Value q) {
  float scale = b.getFloat("scale", 1 / std::sqrt(float(shapeOf(q)[3])));
  return b.create<nn::MulOp>(q, b.createScalar(scale));
}

namespace {
/// Q, K and V as batch x heads x sequence x size, and what is said of them.
class Attention {
public:
  explicit Attention(NodeBinder &b) : b(b) {}
  LogicalResult run();

private:
  enum Input { Q, K, V, Mask, PastKey, PastValue, KeyCount };

  LogicalResult readOperands();
  Value readHeads(Input input, StringRef headsName);
  Value withPast(Value present, Input past);

  Value createBias();
  Value createAllowed();
  Value createOffset(Value keyCounts);
  Value createMaskBias();
  Value clearMaskedRows(Value weights, Value bias);

  Value compare(Value left, nn::Predicate predicate, Value right);
  Value integer(int64_t value) { return b.createInts({}, value); }
  Value minusInfinity() {
    return b.createScalar(-std::numeric_limits<float>::infinity());
  }

  NodeBinder &b;
  Value q, k, v;
  int64_t queries = 0, keys = 0, pastKeys = 0;
  /// The newest operator set has windows.
  int64_t left = -1, right = -1;
};
} // namespace

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Rank 3 is batch x sequence x (heads * size).
Value Attention::readHeads(Input input, StringRef headsName) {
  Value value = b.floatInput(input);
  if (b.failed())
    return {};
  ArrayRef<int64_t> shape = shapeOf(value);
  int64_t heads = b.getInt(headsName, 0);
  if (shape.size() == 4)
    return value;
  if (shape.size() != 3) {
    b.error() << "expected operand " << int(input)
              << " to have rank 3 or 4, but got " << shapeText(shape);
    return {};
  }
  if (heads < 1 || shape[2] % heads != 0) {
    b.error() << "expected '" << headsName << "' to divide " << shape[2]
              << ", but got " << heads;
    return {};
  }
  Value split =
      b.createReshape(value, {shape[0], shape[1], heads, shape[2] / heads});
  return b.create<nn::TransposeOp>(split, ArrayRef<int64_t>{0, 2, 1, 3});
}

/// The cache in front; one without elements is none.
Value Attention::withPast(Value present, Input past) {
  if (!b.hasInput(past) || llvm::is_contained(b.shape(past), 0))
    return present;
  Value before = b.floatInput(past);
  if (b.failed())
    return {};
  return b.create<nn::ConcatOp>(ValueRange{before, present}, int64_t(2));
}

LogicalResult Attention::readOperands() {
  b.ignore({"softmax_precision"});
  q = readHeads(Q, "q_num_heads");
  k = readHeads(K, "kv_num_heads");
  v = readHeads(V, "kv_num_heads");
  if (b.opset() >= 25) {
    left = b.getInt("left_window_size", -1);
    right = b.getInt("right_window_size", -1);
  }
  if (b.failed())
    return failure();
  if (left < -1 || right < -1)
    return b.error() << "expected window sizes of at least -1, but got " << left
                     << " and " << right;
  if (b.hasInput(PastKey) != b.hasInput(PastValue) ||
      (b.hasInput(PastKey) && b.hasInput(KeyCount)))
    return b.error() << "expected past keys and values together, and without "
                        "a number of keys";
  int64_t newKeys = shapeOf(k)[2];
  k = withPast(k, PastKey);
  v = withPast(v, PastValue);
  if (b.failed() || failed(checkShapes(b, q, k, v)))
    return failure();
  queries = shapeOf(q)[2];
  keys = shapeOf(k)[2];
  pastKeys = keys - newKeys;
  return success();
}

//===----------------------------------------------------------------------===//
// Bias: minus infinity where a query does not see a key
//===----------------------------------------------------------------------===//

Value Attention::compare(Value left, nn::Predicate predicate, Value right) {
  return b.create<nn::CompareOp>(left, right, predicate);
}

/// The keys before the first query: those of the past or, where a cache is
/// given as a whole, all that are valid but those of the queries.
Value Attention::createOffset(Value keyCounts) {
  if (!keyCounts)
    return integer(pastKeys);
  return b.create<nn::SubOp>(keyCounts, integer(queries));
}

/// Which keys a query sees by their positions; null when it sees all.
Value Attention::createAllowed() {
  Value keyCounts;
  if (b.hasInput(KeyCount))
    keyCounts =
        b.createReshape(b.integerInput(KeyCount), {shapeOf(k)[0], 1, 1, 1});
  Value query = b.create<nn::AddOp>(createPositions(b, queries, 0, 2),
                                    createOffset(keyCounts));
  Value key = createPositions(b, keys, 0, 1);
  SmallVector<Value> conditions;
  using P = nn::Predicate;
  if (b.getBool("is_causal", false))
    conditions.push_back(compare(key, P::LessEqual, query));
  if (left >= 0)
    conditions.push_back(
        compare(b.create<nn::SubOp>(query, integer(left)), P::LessEqual, key));
  if (right >= 0)
    conditions.push_back(
        compare(key, P::LessEqual, b.create<nn::AddOp>(query, integer(right))));
  if (keyCounts)
    conditions.push_back(compare(key, P::Less, keyCounts));
  Value all;
  for (Value condition : conditions)
    all = all ? b.create<nn::AndOp>(all, condition) : condition;
  return all;
}

/// A mask of truth values says what is seen, one of numbers is added. It may
/// end before the keys do.
Value Attention::createMaskBias() {
  Value mask = b.input(Mask);
  if (b.failed())
    return {};
  auto type = cast<RankedTensorType>(mask.getType());
  if (type.getElementType().isInteger(1))
    mask = b.create<nn::SelectOp>(mask, b.createScalar(0), minusInfinity());
  else
    mask = b.createCast(mask, Float32Type::get(b.context()));
  int64_t rank = type.getRank();
  if (rank == 0 || type.getDimSize(rank - 1) >= keys)
    return mask;
  SmallVector<int64_t> pads(2 * rank, 0);
  pads.back() = keys - type.getDimSize(rank - 1);
  return b.create<nn::PadOp>(
      mask, pads,
      llvm::APFloat::getInf(llvm::APFloat::IEEEsingle(), /*Negative=*/true));
}

/// Null when every query sees every key.
Value Attention::createBias() {
  Value allowed = createAllowed();
  Value bias = b.hasInput(Mask) ? createMaskBias() : Value();
  if (!allowed)
    return bias;
  return b.create<nn::SelectOp>(allowed, bias ? bias : b.createScalar(0),
                                minusInfinity());
}

/// A query that sees no key gets nothing. By the causal order alone each sees
/// the first key.
Value Attention::clearMaskedRows(Value weights, Value bias) {
  bool seesFirst =
      !b.hasInput(Mask) && !b.hasInput(KeyCount) && left < 0 && right < 0;
  if (!bias || seesFirst || b.failed())
    return weights;
  int64_t last = shapeOf(bias).size() - 1;
  Value most = createReduce(b, nn::Reduction::Max, bias, last, true);
  Value seesNone = compare(most, nn::Predicate::Equal, minusInfinity());
  return b.create<nn::SelectOp>(seesNone, b.createScalar(0), weights);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

LogicalResult Attention::run() {
  float cap = b.getFloat("softcap", 0);
  int64_t mode = b.getInt("qk_matmul_output_mode", 0);
  if (failed(readOperands()))
    return failure();
  if (mode < 0 || mode > 3)
    return b.error() << "expected 'qk_matmul_output_mode' in [0, 3], but got "
                     << mode;
  SmallVector<Value, 4> stages{
      product(b, scaled(b, q), k, /*isTransposed=*/true)};
  Value capped = stages[0];
  if (cap > 0)
    capped = b.create<nn::MulOp>(
        b.create<nn::TanhOp>(b.create<nn::DivOp>(capped, b.createScalar(cap))),
        b.createScalar(cap));
  stages.push_back(capped);
  Value bias = createBias();
  Value biased = bias ? b.create<nn::AddOp>(capped, bias) : capped;
  stages.push_back(biased);
  if (b.failed())
    return failure();
  if (biased.getType() != capped.getType())
    return b.error() << "expected a mask that broadcasts to "
                     << shapeText(shapeOf(capped)) << ", but got "
                     << shapeText(b.shape(Mask));
  Value weights = b.create<nn::SoftmaxOp>(biased, int64_t(3));
  stages.push_back(clearMaskedRows(weights, bias));
  Value y = product(b, stages[3], v, /*isTransposed=*/false);
  if (b.failed())
    return failure();
  if (b.shape(Q).size() == 3) {
    ArrayRef<int64_t> s = shapeOf(y);
    y = b.createReshape(
        b.create<nn::TransposeOp>(y, ArrayRef<int64_t>{0, 2, 1, 3}),
        {s[0], s[2], s[1] * s[3]});
  }
  if (failed(b.result(k, 1)) || failed(b.result(v, 2)) ||
      failed(b.result(stages[mode], 3)))
    return failure();
  return b.result(y);
}

static LogicalResult importAttention(NodeBinder &b) {
  return Attention(b).run();
}

//===----------------------------------------------------------------------===//
// FlexAttention
//===----------------------------------------------------------------------===//

/// `value` as the graph in an attribute changes it.
static Value modify(NodeBinder &b, StringRef attribute, Value value) {
  if (b.failed() || !b.getAttribute(attribute))
    return value;
  Subgraph graph(b, attribute, 1);
  if (b.failed())
    return {};
  FailureOr<ImportedValues> results = graph.run(ImportedValue{{}, value});
  if (failed(results) || results->size() != 1) {
    b.error() << "expected '" << attribute << "' to have one output";
    return {};
  }
  Value result = b.emit(results->front());
  if (result && result.getType() != value.getType()) {
    b.error() << "expected '" << attribute << "' to keep the shape "
              << shapeText(shapeOf(value)) << ", but got "
              << shapeText(shapeOf(result));
    return {};
  }
  return result;
}

static LogicalResult importFlexAttention(NodeBinder &b) {
  b.ignore({"softmax_precision"});
  Value q = b.floatInput(0), k = b.floatInput(1), v = b.floatInput(2);
  if (b.failed() || failed(checkShapes(b, q, k, v)))
    return failure();
  Value scores = product(b, scaled(b, q), k, /*isTransposed=*/true);
  Value weights =
      b.create<nn::SoftmaxOp>(modify(b, "score_mod", scores), int64_t(3));
  return b.result(product(b, modify(b, "prob_mod", weights), v,
                          /*isTransposed=*/false));
}

void registerAttention(HandlerTable &table) {
  table.add("Attention", {Place::Digital, "softmax in float"},
            {{23, importAttention}});
  table.add("ai.onnx.preview.FlexAttention",
            {Place::Digital, "softmax in float"}, {{1, importFlexAttention}});
}

} // namespace cim::onnx
