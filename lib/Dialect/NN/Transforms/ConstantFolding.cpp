// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of nn ops on constants.
#include "cim/Dialect/NN/Transforms/ConstantFolding.h"
#include "TypedElements.h"
#include <cmath>

using namespace mlir;
using namespace cim;
using namespace cim::nn;

//===----------------------------------------------------------------------===//
// Data movement, on elements of any type
//===----------------------------------------------------------------------===//

SmallVector<int64_t> cim::nn::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

void cim::nn::forEachOffset(ArrayRef<int64_t> shape, int64_t offset,
                            ArrayRef<int64_t> strides,
                            function_ref<void(int64_t)> visit) {
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t count = llvm::product_of(shape); count > 0; --count) {
    visit(offset);
    for (size_t dim = shape.size(); dim-- > 0;) {
      offset += strides[dim];
      if (++index[dim] < shape[dim])
        break;
      offset -= strides[dim] * shape[dim];
      index[dim] = 0;
    }
  }
}

/// A name for the resource of a result: that of the operand's.
static StringRef resourceName(ElementsAttr value) {
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  return resource ? resource.getRawHandle().getKey() : "folded";
}

namespace {
/// A view of the elements of a constant in another order or selection.
struct View {
  SmallVector<int64_t> shape;
  int64_t offset = 0;
  SmallVector<int64_t> strides;
};
} // namespace

static ShapedType typeOf(ElementsAttr value) {
  return cast<ShapedType>(cast<TypedAttr>(value).getType());
}

static FailureOr<ElementsAttr> gather(Location loc, ElementsAttr value,
                                      const View &view) {
  Type element = typeOf(value).getElementType();
  return withElementType(element, [&](auto zero) -> FailureOr<ElementsAttr> {
    using T = decltype(zero);
    FailureOr<std::vector<T>> from = readTyped<T>(loc, value);
    if (failed(from))
      return failure();
    std::vector<T> to;
    to.reserve(from->size());
    forEachOffset(view.shape, view.offset, view.strides,
                  [&](int64_t offset) { to.push_back((*from)[offset]); });
    return makeTyped<T>(RankedTensorType::get(view.shape, element), to,
                        resourceName(value));
  });
}

/// `value` surrounded by what `op` pads with, as a stored number.
static FailureOr<ElementsAttr> pad(PadOp op, ElementsAttr value) {
  Type element = typeOf(value).getElementType();
  return withElementType(element, [&](auto zero) -> FailureOr<ElementsAttr> {
    using T = decltype(zero);
    FailureOr<std::vector<T>> from = readTyped<T>(op.getLoc(), value);
    if (failed(from))
      return failure();
    ArrayRef<int64_t> shape = shapeOf(op);
    std::vector<T> to(llvm::product_of(shape),
                      static_cast<T>(op.getValue().convertToFloat()));
    SmallVector<int64_t> strides = rowMajorStrides(shape);
    int64_t origin = 0;
    for (size_t dim = 0; dim < strides.size(); ++dim)
      origin += op.getPads()[dim] * strides[dim];
    auto next = from->begin();
    forEachOffset(typeOf(value).getShape(), origin, strides,
                  [&](int64_t offset) { to[offset] = *next++; });
    return makeTyped<T>(RankedTensorType::get(shape, element), to,
                        resourceName(value));
  });
}

FailureOr<ElementsAttr> cim::nn::moveElements(Operation *op,
                                              ElementsAttr value) {
  if (auto padding = dyn_cast<PadOp>(op))
    return pad(padding, value);
  View view;
  view.shape.assign(cast<ShapedType>(op->getResult(0).getType()).getShape());
  SmallVector<int64_t> strides = rowMajorStrides(typeOf(value).getShape());
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    for (int64_t dim : transpose.getPermutation())
      view.strides.push_back(strides[dim]);
  } else if (auto slice = dyn_cast<SliceOp>(op)) {
    for (size_t dim = 0; dim < strides.size(); ++dim) {
      view.offset += slice.getStarts()[dim] * strides[dim];
      view.strides.push_back(slice.getSteps()[dim] * strides[dim]);
    }
  } else {
    assert(isa<ReshapeOp>(op) && "not an op that moves elements");
    view.strides = rowMajorStrides(view.shape);
  }
  return gather(op->getLoc(), value, view);
}

template <typename T> static FailureOr<ElementsAttr> foldConcat(ConcatOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  size_t axis = op.getAxis();
  std::vector<T> joined(type.getNumElements());
  SmallVector<int64_t> strides = rowMajorStrides(type.getShape());
  int64_t origin = 0;
  for (Value input : op.getInputs()) {
    FailureOr<std::vector<T>> values = readTyped<T>(input);
    if (failed(values))
      return failure();
    ArrayRef<int64_t> part = shapeOf(input);
    auto next = values->begin();
    forEachOffset(part, origin, strides,
                  [&](int64_t offset) { joined[offset] = *next++; });
    origin += part[axis] * strides[axis];
  }
  return makeTyped<T>(type, joined);
}

//===----------------------------------------------------------------------===//
// Quantisation
//===----------------------------------------------------------------------===//

/// docs/Numerics.md section 1, with the zero point added after rounding.
static int64_t quantize(QuantizeOp op, float x, float scale,
                        int64_t zeroPoint) {
  auto type = cast<quant::QuantizedType>(
      cast<ShapedType>(op.getType()).getElementType());
  float q = x * (1.0f / scale);
  q = op.getRounding() == Rounding::Floor ? std::floor(q) : std::nearbyint(q);
  float shifted = std::clamp(q + static_cast<float>(zeroPoint),
                             static_cast<float>(type.getStorageTypeMin()),
                             static_cast<float>(type.getStorageTypeMax()));
  return static_cast<int64_t>(shifted);
}

template <typename T>
static ElementsAttr storeAs(QuantizeOp op, ArrayRef<int64_t> values) {
  auto type = cast<ShapedType>(op.getType());
  auto quantized = cast<quant::QuantizedType>(type.getElementType());
  Type storage = IntegerType::get(
      op.getContext(), quantized.getStorageTypeIntegralWidth(),
      quantized.isSigned() ? IntegerType::Signless : IntegerType::Unsigned);
  std::vector<T> narrow(values.begin(), values.end());
  return makeElements<T>(RankedTensorType::get(type.getShape(), storage),
                         narrow, "folded");
}

static FailureOr<ElementsAttr> foldQuantize(QuantizeOp op) {
  FailureOr<std::vector<float>> reals = readReals(op.getInput());
  if (failed(reals))
    return failure();
  auto type = cast<ShapedType>(op.getType());
  Type element = type.getElementType();
  std::vector<int64_t> integers(reals->size());
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(element)) {
    for (size_t i = 0; i < integers.size(); ++i)
      integers[i] =
          quantize(op, (*reals)[i], static_cast<float>(uniform.getScale()),
                   uniform.getZeroPoint());
  } else if (auto perAxis =
                 dyn_cast<quant::UniformQuantizedPerAxisType>(element)) {
    int64_t axis = perAxis.getQuantizedDimension();
    int64_t inner = llvm::product_of(type.getShape().drop_front(axis + 1));
    for (size_t i = 0; i < integers.size(); ++i) {
      int64_t channel = i / inner % type.getDimSize(axis);
      integers[i] = quantize(op, (*reals)[i],
                             static_cast<float>(perAxis.getScales()[channel]),
                             perAxis.getZeroPoints()[channel]);
    }
  } else {
    return failure();
  }
  switch (cast<quant::QuantizedType>(element).getStorageTypeIntegralWidth()) {
  case 8:
    return storeAs<uint8_t>(op, integers);
  case 16:
    return storeAs<uint16_t>(op, integers);
  default:
    return failure();
  }
}

static FailureOr<ElementsAttr> foldDequantize(DequantizeOp op) {
  FailureOr<std::vector<float>> reals = readReals(op.getResult());
  if (failed(reals))
    return failure();
  return makeTyped<float>(cast<RankedTensorType>(op.getType()), *reals);
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

/// A constant, maybe dequantised, whose data is there: IR printed for reading
/// leaves large resources out.
static bool isConstant(Value value) {
  if (auto dequantize = value.getDefiningOp<DequantizeOp>())
    value = dequantize.getInput();
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return false;
  auto resource = dyn_cast<DenseResourceElementsAttr>(constant.getValue());
  return !resource || resource.getRawHandle().getBlob();
}

bool cim::nn::isFoldable(Operation *op) {
  return (op->hasTrait<Elementwise>() ||
          isa<ReshapeOp, TransposeOp, ConcatOp, PadOp, SliceOp, BroadcastOp,
              GatherOp, ScatterOp, ReduceOp, QuantizeOp, DequantizeOp>(op)) &&
         llvm::all_of(op->getOperands(), isConstant);
}

FailureOr<ElementsAttr> cim::nn::foldConstantOp(Operation *op) {
  if (isa<ReshapeOp, TransposeOp, SliceOp, PadOp>(op)) {
    // What a quantised tensor is padded with takes its scale into account.
    if (isa<PadOp>(op) && !getElementTypeOrSelf(op->getOperand(0)).isF32())
      return failure();
    if (auto constant = op->getOperand(0).getDefiningOp<ConstantOp>())
      return moveElements(op, constant.getValue());
    FailureOr<std::vector<float>> reals = readReals(op->getOperand(0));
    if (failed(reals))
      return failure();
    return moveElements(
        op, makeTyped<float>(
                cast<RankedTensorType>(op->getOperand(0).getType()), *reals));
  }
  if (auto concat = dyn_cast<ConcatOp>(op))
    return withElementType(
        cast<ShapedType>(concat.getType()).getElementType(),
        [&](auto zero) { return foldConcat<decltype(zero)>(concat); });
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return foldReduction(reduce);
  if (isa<BroadcastOp, GatherOp, ScatterOp>(op))
    return foldIndexing(op);
  if (auto quantize = dyn_cast<QuantizeOp>(op))
    return foldQuantize(quantize);
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return foldDequantize(dequantize);
  return foldElementwise(op);
}
