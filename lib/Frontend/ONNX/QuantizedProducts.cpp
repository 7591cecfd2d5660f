// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of integers: those of dequantised values, which nn computes exactly.
#include "Compose.h"
#include "Convolution.h"
#include "Products.h"
#include "Quantization.h"

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// QLinearMatMul, QLinearConv
//===----------------------------------------------------------------------===//

/// The integers of a dequantised value of one scale, else null.
static Value integersOf(Value value) {
  auto dequantize = value.getDefiningOp<nn::DequantizeOp>();
  bool isUniform =
      dequantize && isa<quant::UniformQuantizedType>(
                        dequantize.getInput().getType().getElementType());
  return isUniform ? dequantize.getInput() : Value();
}

/// nn adds up products of integers without rounding. Weights stay dequantised:
/// that is how the compiler recognises their integers.
static Value multiplyReals(NodeBinder &b, Value left, Value right) {
  if (b.failed())
    return {};
  Value a = integersOf(left), c = integersOf(right);
  bool hasWeights = b.isConstant(left) || b.isConstant(right);
  return a && c && !hasWeights ? createMatMul(b, a, c)
                               : createMatMul(b, left, right);
}

static LogicalResult importQLinearMatMul(NodeBinder &b) {
  const QuantizationOperands result{6, 7};
  Value left = dequantizeOperand(b, 0, {1, 2, -2});
  Value right = dequantizeOperand(b, 3, {4, 5, -1});
  Value product = multiplyReals(b, left, right);
  DataType type = zeroPointType(b, result, DataType::UInt8);
  return b.result(quantizeValue(b, product, type, result));
}

/// The bias has the scale of the products.
static Value scaledBias(NodeBinder &b) {
  if (!b.hasInput(8))
    return {};
  Value bias = b.integerInput(8), inputScale = b.floatInput(1),
        weightScale = b.floatInput(4);
  if (b.failed())
    return {};
  Value scale =
      b.create<nn::MulOp>(b.createReshape(inputScale, {}), weightScale);
  return b.create<nn::MulOp>(b.createCast(bias, Float32Type::get(b.context())),
                             scale);
}

static LogicalResult importQLinearConv(NodeBinder &b) {
  const QuantizationOperands result{6, 7};
  Value input = dequantizeOperand(b, 0, {1, 2});
  Value weights = dequantizeOperand(b, 3, {4, 5, 0});
  Value sum = convolveOperands(b, 0, 3, input, weights, scaledBias(b));
  DataType type = zeroPointType(b, result, DataType::UInt8);
  return b.result(quantizeValue(b, sum, type, result));
}

//===----------------------------------------------------------------------===//
// MatMulInteger, ConvInteger
//===----------------------------------------------------------------------===//

/// So many products of 8-bit integers have a sum below 2^24, which binary32
/// holds exactly.
static constexpr int64_t kExactProducts = 256;

/// Integers minus their zero point as real numbers; constants keep the integers
/// that arrays store.
static Value centred(NodeBinder &b, size_t index, size_t zeroPoint,
                     int64_t axis) {
  SmallVector<int64_t> shape = b.shape(index);
  Type real = Float32Type::get(b.context());
  HostTensor constant = b.host(index);
  bool isPlain = !b.hasInput(zeroPoint);
  if (isPlain && constant && storageOf(constant->type)) {
    Type type = quantizedType(b, {{1.0}, {0}, {}}, *storageOf(constant->type));
    Value stored = type ? b.createConstant(constant, type) : Value();
    if (b.failed())
      return {};
    return b.createTyped<nn::DequantizeOp>(RankedTensorType::get(shape, real),
                                           stored);
  }
  Value x = b.createCast(b.integerInput(index), real);
  if (isPlain)
    return x;
  Value zero = spread(b, b.createCast(b.integerInput(zeroPoint), real), shape,
                      {0, zeroPoint, axis});
  return b.create<nn::SubOp>(x, zero);
}

/// Adds up, as int32, the products over parts of `extent` elements that are
/// small enough to be exact. Constant weights stay together for the arrays.
static Value addParts(NodeBinder &b, int64_t extent, int64_t part,
                      function_ref<Value(int64_t, int64_t)> multiply) {
  Type i32 = IntegerType::get(b.context(), 32);
  Value sum;
  for (int64_t start = 0; start < extent && !b.failed(); start += part) {
    Value real = multiply(start, std::min(part, extent - start));
    Value product = b.createCast(b.create<nn::RoundOp>(real), i32);
    sum = sum ? b.create<nn::AddOp>(sum, product) : product;
  }
  return sum;
}

static LogicalResult importMatMulInteger(NodeBinder &b) {
  Value left = centred(b, 0, 2, -2), right = centred(b, 1, 3, -1);
  if (b.failed())
    return failure();
  int64_t rank = shapeOf(left).size(),
          rows = std::max<int64_t>(int64_t(shapeOf(right).size()) - 2, 0);
  if (rank == 0 || shapeOf(right).empty() ||
      shapeOf(left)[rank - 1] != shapeOf(right)[rows])
    return b.error() << "expected matrices that fit together, but got "
                     << shapeText(shapeOf(left)) << " and "
                     << shapeText(shapeOf(right));
  int64_t extent = shapeOf(left)[rank - 1];
  bool hasWeights = b.isConstant(left) || b.isConstant(right);
  return b.result(addParts(b, extent, hasWeights ? extent : kExactProducts,
                           [&](int64_t start, int64_t size) {
                             return createMatMul(
                                 b, sliceAlong(b, left, rank - 1, start, size),
                                 sliceAlong(b, right, rows, start, size));
                           }));
}

static LogicalResult importConvInteger(NodeBinder &b) {
  Value input = centred(b, 0, 2, 1), weights = centred(b, 1, 3, 0);
  if (b.failed() || shapeOf(weights).size() < 3 || shapeOf(input).size() < 3)
    return b.error() << "expected operands of rank 3 or more";
  int64_t channels = shapeOf(weights)[1],
          window = llvm::product_of(
              ArrayRef<int64_t>(shapeOf(weights)).drop_front(2));
  bool isSplit = !b.isConstant(weights) && shapeOf(input)[1] == channels;
  int64_t part =
      std::max<int64_t>(kExactProducts / std::max<int64_t>(window, 1), 1);
  return b.result(addParts(
      b, channels, isSplit ? part : channels, [&](int64_t start, int64_t size) {
        if (!isSplit)
          return convolveOperands(b, 0, 1, input, weights, Value());
        return convolveOperands(b, 0, 1, sliceAlong(b, input, 1, start, size),
                                sliceAlong(b, weights, 1, start, size),
                                Value());
      }));
}

void registerQuantizedProducts(HandlerTable &table) {
  const OpSummary qlinear{Place::Crossbar, "as QuantizeLinear and "
                                           "DequantizeLinear"};
  table.add("QLinearMatMul", qlinear, {{10, importQLinearMatMul}});
  table.add("QLinearConv", qlinear, {{10, importQLinearConv}});
  const OpSummary integers{Place::Crossbar,
                           "sums beyond 2^24 are rounded to float32 when the "
                           "weights are constant"};
  table.add("MatMulInteger", integers, {{10, importMatMulInteger}});
  table.add("ConvInteger", integers, {{10, importConvInteger}});
}

} // namespace cim::onnx
