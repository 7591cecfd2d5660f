// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of nn ops on constants.
#include "ConstantFolding.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace cim;
using namespace cim::nn;

//===----------------------------------------------------------------------===//
// Data movement, on elements of any type
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// Calls `visit` with every offset of a strided view, in row-major order.
static void forEachOffset(ArrayRef<int64_t> shape, int64_t offset,
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

template <typename T>
static FailureOr<ElementsAttr> gatherAs(Location loc, ElementsAttr value,
                                        const View &view) {
  FailureOr<std::vector<T>> from = readElements<T>(loc, value);
  if (failed(from))
    return failure();
  std::vector<T> to;
  to.reserve(from->size());
  forEachOffset(view.shape, view.offset, view.strides,
                [&](int64_t offset) { to.push_back((*from)[offset]); });
  auto type = RankedTensorType::get(view.shape, typeOf(value).getElementType());
  return makeElements<T>(type, to, resourceName(value));
}

static FailureOr<ElementsAttr> gather(Location loc, ElementsAttr value,
                                      const View &view) {
  switch (typeOf(value).getElementTypeBitWidth()) {
  case 8:
    return gatherAs<uint8_t>(loc, value, view);
  case 16:
    return gatherAs<uint16_t>(loc, value, view);
  case 32:
    return gatherAs<uint32_t>(loc, value, view);
  case 64:
    return gatherAs<uint64_t>(loc, value, view);
  default:
    return failure();
  }
}

FailureOr<ElementsAttr> cim::nn::moveElements(Operation *op,
                                              ElementsAttr value) {
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

//===----------------------------------------------------------------------===//
// Arithmetic, on binary32
//===----------------------------------------------------------------------===//

/// The elements of `value` broadcast to `shape`.
static FailureOr<std::vector<float>> broadcast(Value value,
                                               ArrayRef<int64_t> shape) {
  FailureOr<std::vector<float>> from = readReals(value);
  if (failed(from))
    return failure();
  ArrayRef<int64_t> own = cast<ShapedType>(value.getType()).getShape();
  SmallVector<int64_t> ownStrides = rowMajorStrides(own);
  SmallVector<int64_t> strides(shape.size(), 0);
  for (size_t i = 0; i < own.size(); ++i)
    if (own[i] != 1)
      strides[shape.size() - own.size() + i] = ownStrides[i];
  std::vector<float> to;
  to.reserve(llvm::product_of(shape));
  forEachOffset(shape, 0, strides,
                [&](int64_t offset) { to.push_back((*from)[offset]); });
  return to;
}

static float evaluate(Operation *op, float a, float b) {
  return llvm::TypeSwitch<Operation *, float>(op)
      .Case([&](AddOp) { return a + b; })
      .Case([&](SubOp) { return a - b; })
      .Case([&](MulOp) { return a * b; })
      .Case([&](DivOp) { return a / b; })
      .Case([&](ReluOp) { return std::max(a, 0.0f); })
      .Case([&](FloorOp) { return std::floor(a); })
      .Case([&](RoundOp) { return std::nearbyint(a); })
      .Case([&](ClampOp clamp) {
        return std::min(std::max(a, clamp.getLo().convertToFloat()),
                        clamp.getHi().convertToFloat());
      })
      .Default([&](Operation *) { return a; });
}

static FailureOr<ElementsAttr> floatElements(Type type,
                                             ArrayRef<float> values) {
  if (!llvm::all_of(values, [](float v) { return std::isfinite(v); }))
    return failure();
  return makeElements<float>(cast<RankedTensorType>(type), values, "folded");
}

/// Unary and binary ops; nn.dequantize is the unary op whose operand is read
/// as reals.
static FailureOr<ElementsAttr> foldElementwise(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  FailureOr<std::vector<float>> a =
      broadcast(op->getOperand(0), type.getShape());
  FailureOr<std::vector<float>> b =
      op->getNumOperands() == 2 ? broadcast(op->getOperand(1), type.getShape())
                                : a;
  if (failed(a) || failed(b))
    return failure();
  for (auto [x, y] : llvm::zip_equal(*a, *b))
    x = evaluate(op, x, y);
  return floatElements(type, *a);
}

/// Padding of floats; values of a quantised tensor are not worth the case.
static FailureOr<ElementsAttr> foldPad(PadOp op) {
  auto from = cast<ShapedType>(op.getInput().getType());
  auto to = cast<ShapedType>(op.getType());
  FailureOr<std::vector<float>> values = readReals(op.getInput());
  if (failed(values) || !to.getElementType().isF32())
    return failure();
  std::vector<float> padded(to.getNumElements(),
                            op.getValue().convertToFloat());
  SmallVector<int64_t> strides = rowMajorStrides(to.getShape());
  int64_t origin = 0;
  for (size_t dim = 0; dim < strides.size(); ++dim)
    origin += op.getPads()[dim] * strides[dim];
  auto next = values->begin();
  forEachOffset(from.getShape(), origin, strides,
                [&](int64_t offset) { padded[offset] = *next++; });
  return floatElements(op.getType(), padded);
}

static FailureOr<ElementsAttr> foldConcat(ConcatOp op) {
  auto type = cast<ShapedType>(op.getType());
  if (!type.getElementType().isF32())
    return failure();
  ArrayRef<int64_t> shape = type.getShape();
  size_t axis = op.getAxis();
  std::vector<float> joined(type.getNumElements());
  SmallVector<int64_t> strides = rowMajorStrides(shape);
  int64_t origin = 0;
  for (Value input : op.getInputs()) {
    FailureOr<std::vector<float>> values = readReals(input);
    if (failed(values))
      return failure();
    ArrayRef<int64_t> part = cast<ShapedType>(input.getType()).getShape();
    auto next = values->begin();
    forEachOffset(part, origin, strides,
                  [&](int64_t offset) { joined[offset] = *next++; });
    origin += part[axis] * strides[axis];
  }
  return floatElements(op.getType(), joined);
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
  return isa<AddOp, SubOp, MulOp, DivOp, ReluOp, ClampOp, FloorOp, RoundOp,
             ReshapeOp, TransposeOp, ConcatOp, PadOp, SliceOp, QuantizeOp,
             DequantizeOp>(op) &&
         llvm::all_of(op->getOperands(), isConstant);
}

FailureOr<ElementsAttr> cim::nn::foldConstantOp(Operation *op) {
  if (isa<ReshapeOp, TransposeOp, SliceOp>(op)) {
    if (auto constant = op->getOperand(0).getDefiningOp<ConstantOp>())
      return moveElements(op, constant.getValue());
    FailureOr<std::vector<float>> reals = readReals(op->getOperand(0));
    if (failed(reals))
      return failure();
    return moveElements(
        op,
        makeElements<float>(cast<RankedTensorType>(op->getOperand(0).getType()),
                            *reals, "folded"));
  }
  if (auto pad = dyn_cast<PadOp>(op))
    return foldPad(pad);
  if (auto concat = dyn_cast<ConcatOp>(op))
    return foldConcat(concat);
  if (auto quantize = dyn_cast<QuantizeOp>(op))
    return foldQuantize(quantize);
  return foldElementwise(op);
}
