// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of QONNX: Quant, BipolarQuant and Trunc, which take and give
// real numbers. Weights become the integers that arrays store.
#include "Compose.h"
#include "QonnxInteger.h"

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// Scales and zero points
//===----------------------------------------------------------------------===//

/// Constant scales and zero points of values of `shape` as a type has them:
/// for the tensor, or along one dimension. Operand 2, the zero point, may be
/// missing. Nothing when there are more or the compiler does not know them.
static std::optional<Channels> readChannels(NodeBinder &b,
                                            ArrayRef<int64_t> shape) {
  HostTensor scale = b.host(1), zero = b.hasInput(2) ? b.host(2) : nullptr;
  if (b.failed() || !scale || (b.hasInput(2) && !zero))
    return std::nullopt;
  Channels channels;
  for (const HostTensor &values : {scale, zero}) {
    int64_t rank = values ? values->dims.size() : 0;
    for (int64_t dim = 0; dim < rank; ++dim) {
      if (values->dims[dim] == 1)
        continue;
      int64_t axis = int64_t(shape.size()) - rank + dim;
      if (axis < 0 || values->dims[dim] != shape[axis] ||
          channels.axis.value_or(axis) != axis)
        return std::nullopt;
      channels.axis = axis;
    }
  }
  int64_t count = channels.axis ? shape[*channels.axis] : 1;
  auto expand = [&](const HostTensor &values) {
    SmallVector<double> list =
        values ? toDoubles(*values) : SmallVector<double>{0};
    return list.size() == 1 ? SmallVector<double>(count, list.front()) : list;
  };
  channels.scales = expand(scale);
  for (double value : expand(zero)) {
    if (value != std::nearbyint(value) || std::abs(value) > (1 << 20))
      return std::nullopt;
    channels.zeroPoints.push_back(static_cast<int64_t>(value));
  }
  bool isPositive = llvm::all_of(channels.scales, [](double value) {
    return value > 0 && std::isfinite(value);
  });
  return isPositive ? std::optional(channels) : std::nullopt;
}

/// The integers of constant weights.
static Tensor quantizeConstant(const Tensor &weights, const Channels &channels,
                               const QonnxInteger &integer, DataType type) {
  SmallVector<double> reals = toDoubles(weights);
  SmallVector<int64_t> integers;
  int64_t inner = 1, count = channels.scales.size();
  if (channels.axis)
    inner = llvm::product_of(
        ArrayRef<int64_t>(weights.dims).drop_front(*channels.axis + 1));
  for (auto [i, real] : llvm::enumerate(reals)) {
    int64_t channel = int64_t(i) / inner % count;
    auto scaled =
        static_cast<float>(real) / static_cast<float>(channels.scales[channel]);
    integers.push_back(static_cast<int64_t>(integer.apply(
        scaled + static_cast<float>(channels.zeroPoints[channel]))));
  }
  Tensor tensor = fromInts(type, weights.dims, integers);
  tensor.name = weights.name;
  return tensor;
}

//===----------------------------------------------------------------------===//
// Quant, BipolarQuant
//===----------------------------------------------------------------------===//

/// (x / scale + zero point) as an integer, and back, in arithmetic.
static Value quantizeByArithmetic(NodeBinder &b, Value x,
                                  const QonnxInteger &integer) {
  Value scale = b.floatInput(1);
  Value zero = b.hasInput(2) ? b.floatInput(2) : Value();
  Value y = b.create<nn::DivOp>(x, scale);
  if (zero)
    y = b.create<nn::AddOp>(y, zero);
  y = integer.apply(b, y);
  if (zero)
    y = b.create<nn::SubOp>(y, zero);
  y = b.create<nn::MulOp>(y, scale);
  if (!b.failed() && shapeOf(y) != shapeOf(x))
    b.error() << "expected scale and zero point to broadcast to "
              << shapeText(shapeOf(x)) << ", but they give "
              << shapeText(shapeOf(y));
  return y;
}

/// Operand 0 as the numbers that its integers stand for.
static Value quantizeOperand(NodeBinder &b, const QonnxInteger &integer) {
  SmallVector<int64_t> shape = b.shape(0);
  std::optional<Channels> channels = readChannels(b, shape);
  std::optional<DataType> storage = integer.storageType();
  if (b.failed())
    return {};
  HostTensor weights = b.host(0);
  bool isOneOp = integer.mode == QonnxInteger::HalfEven ||
                 integer.mode == QonnxInteger::Floor;
  if (!channels || !storage || (!weights && !isOneOp))
    return quantizeByArithmetic(b, b.floatInput(0), integer);
  Storage bounds = *storageOf(*storage);
  bounds.lowest = static_cast<int64_t>(integer.lowest);
  bounds.highest = static_cast<int64_t>(integer.highest);
  Type element = quantizedType(b, *channels, bounds);
  if (!element)
    return {};
  auto type = RankedTensorType::get(shape, Float32Type::get(b.context()));
  Value stored;
  if (weights) {
    Tensor integers = quantizeConstant(*weights, *channels, integer, *storage);
    stored = b.createConstant(
        std::make_shared<const Tensor>(std::move(integers)), element);
  } else {
    Value x = b.floatInput(0);
    // The type rounds 0 to 0, and one bit has none.
    if (integer.isBipolar)
      x = quantizeByArithmetic(b, x, integer);
    bool isFloor = integer.mode == QonnxInteger::Floor && !integer.isBipolar;
    stored = b.createTyped<nn::QuantizeOp>(type.clone(element), x,
                                           isFloor ? nn::Rounding::Floor
                                                   : nn::Rounding::NearestEven);
  }
  return b.failed() ? Value() : b.createTyped<nn::DequantizeOp>(type, stored);
}

static LogicalResult importQuant(NodeBinder &b) {
  QonnxInteger integer = readInteger(b, 3, true, true);
  integer.mode = readRoundingMode(b, "ROUND");
  return b.result(quantizeOperand(b, integer));
}

static LogicalResult importBipolarQuant(NodeBinder &b) {
  QonnxInteger integer;
  integer.isBipolar = true;
  integer.lowest = -1;
  integer.highest = 1;
  return b.result(quantizeOperand(b, integer));
}

//===----------------------------------------------------------------------===//
// Trunc
//===----------------------------------------------------------------------===//

/// x / scale + zero point, which is a whole number but for rounding.
static Value wholeNumbers(NodeBinder &b, Value x) {
  Value y = b.create<nn::DivOp>(x, b.floatInput(1));
  return b.create<nn::RoundOp>(b.create<nn::AddOp>(y, b.floatInput(2)));
}

/// Drops low bits; the scale stays.
static LogicalResult importTrunc(NodeBinder &b) {
  double in = b.constantNumber(3, "input bit width"),
         out = b.constantNumber(4, "output bit width");
  QonnxInteger integer;
  integer.mode = readRoundingMode(b, "FLOOR");
  integer.lowest = -std::exp2(63);
  integer.highest = std::exp2(63);
  Value y = wholeNumbers(b, b.floatInput(0));
  y = b.create<nn::MulOp>(
      y, b.createScalar(static_cast<float>(std::exp2(out - in))));
  y = b.create<nn::SubOp>(integer.apply(b, y), b.floatInput(2));
  return b.result(b.create<nn::MulOp>(y, b.floatInput(1)));
}

/// Drops the low bits between two scales, and bounds what is left.
static LogicalResult importTruncToScale(NodeBinder &b) {
  double scale = b.constantNumber(1, "scale"),
         outScale = b.constantNumber(4, "output scale");
  QonnxInteger integer = readInteger(b, 5, true, false);
  integer.mode = readRoundingMode(b, "FLOOR");
  if (!b.failed() && !(scale > 0 && outScale > 0))
    b.error() << "expected positive scales, but got " << scale << " and "
              << outScale;
  Value factor = b.createScalar(static_cast<float>(
      std::exp2(-std::nearbyint(std::log2(outScale / scale)))));
  Value y = b.create<nn::MulOp>(wholeNumbers(b, b.floatInput(0)), factor);
  Value zero = b.create<nn::MulOp>(b.floatInput(2), factor);
  y = b.create<nn::SubOp>(integer.apply(b, y), zero);
  return b.result(b.create<nn::MulOp>(y, b.floatInput(4)));
}

void registerQonnx(HandlerTable &table) {
  for (StringRef domain : {"qonnx.custom_op.general", "onnx.brevitas"}) {
    auto add =
        [&](const char *name, OpSummary summary,
            std::initializer_list<std::pair<const int64_t, Handler>> versions) {
          table.add(operatorName(domain.str(), name), summary, versions);
        };
    const char *forms = "weights of up to 16 bits keep their integers";
    add("Quant", {Place::Digital, forms}, {{1, importQuant}});
    add("IntQuant", {Place::Digital, forms}, {{1, importQuant}});
    add("BipolarQuant", {Place::Digital, forms}, {{1, importBipolarQuant}});
    add("Trunc", {Place::Digital, "constant bit widths and output scale"},
        {{1, importTrunc}, {2, importTruncToScale}});
  }
}

} // namespace cim::onnx
