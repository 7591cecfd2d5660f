// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pad in all its modes, CenterCropPad.
#include "NodeBinder.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"

using namespace mlir;

namespace cim::onnx {

namespace {
/// Elements to add (or, negative, to remove) around every dimension.
struct Pads {
  SmallVector<int64_t> begin, end;

  explicit Pads(size_t rank) : begin(rank, 0), end(rank, 0) {}
};
} // namespace

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Removes what negative pads say and sets them to 0.
static Value crop(NodeBinder &b, Value x, Pads &pads) {
  SmallVector<int64_t> shape(typeOf(x).getShape()), starts, sizes,
      steps(shape.size(), 1);
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    for (int64_t pad : {pads.begin[dim], pads.end[dim]})
      if (pad < -extent || pad > (int64_t(1) << 31)) {
        b.error() << "pad " << pad << " of dimension " << dim
                  << " does not fit extent " << extent;
        return {};
      }
    starts.push_back(std::max<int64_t>(0, -pads.begin[dim]));
    sizes.push_back(extent + std::min<int64_t>(0, pads.begin[dim]) +
                    std::min<int64_t>(0, pads.end[dim]));
    pads.begin[dim] = std::max<int64_t>(0, pads.begin[dim]);
    pads.end[dim] = std::max<int64_t>(0, pads.end[dim]);
  }
  if (sizes == shape)
    return x;
  return b.create<nn::SliceOp>(x, starts, sizes, steps);
}

//===----------------------------------------------------------------------===//
// Constants around a tensor
//===----------------------------------------------------------------------===//

/// The number that nn.pad takes for `value`, an element of `type` or null for
/// zero; nothing when it is known at run time only or no real number.
static std::optional<double> knownNumber(Value value, Type type) {
  if (type.isF32()) {
    FailureOr<float> number = value ? nn::readScalar(value) : 0.0f;
    return succeeded(number) ? std::optional<double>(*number) : std::nullopt;
  }
  auto quantized = dyn_cast<quant::UniformQuantizedType>(type);
  FailureOr<std::vector<int64_t>> stored = std::vector<int64_t>{0};
  if (value)
    stored = nn::readIntegers(value);
  if (!quantized || failed(stored) || stored->size() != 1)
    return std::nullopt;
  return (stored->front() - quantized.getZeroPoint()) * quantized.getScale();
}

/// Any numbers, also ones that are known at run time only, as slabs around one
/// dimension after the other.
static Value surround(NodeBinder &b, Value x, const Pads &pads, Value value) {
  for (size_t dim = 0; dim < pads.begin.size(); ++dim) {
    SmallVector<Value> parts{x};
    auto slab = [&](int64_t extent) {
      SmallVector<int64_t> shape(typeOf(x).getShape());
      shape[dim] = extent;
      return b.createBroadcast(value, shape);
    };
    if (pads.begin[dim])
      parts.insert(parts.begin(), slab(pads.begin[dim]));
    if (pads.end[dim])
      parts.push_back(slab(pads.end[dim]));
    if (parts.size() > 1)
      x = b.create<nn::ConcatOp>(parts, int64_t(dim));
    if (b.failed())
      return {};
  }
  return x;
}

static Value padConstant(NodeBinder &b, Value x, const Pads &pads,
                         Value value) {
  Type element = typeOf(x).getElementType();
  std::optional<double> number = knownNumber(value, element);
  if (!number) {
    value = value ? b.createReshape(value, {}) : b.createScalar(element, 0);
    return surround(b, x, pads, value);
  }
  SmallVector<int64_t> all(pads.begin);
  llvm::append_range(all, pads.end);
  if (llvm::all_of(all, [](int64_t pad) { return pad == 0; }))
    return x;
  return b.create<nn::PadOp>(x, all,
                             llvm::APFloat(static_cast<float>(*number)));
}

//===----------------------------------------------------------------------===//
// Elements of the tensor around it
//===----------------------------------------------------------------------===//

/// The position that position `i`, maybe out of bounds, shows.
static int64_t reflected(int64_t i, int64_t extent) {
  int64_t period = 2 * extent - 2;
  if (period == 0)
    return 0;
  i = (i % period + period) % period;
  return i < extent ? i : period - i;
}

static Value padByElements(NodeBinder &b, Value x, const Pads &pads,
                           StringRef mode) {
  for (size_t dim = 0; dim < pads.begin.size(); ++dim) {
    if (pads.begin[dim] == 0 && pads.end[dim] == 0)
      continue;
    int64_t extent = typeOf(x).getDimSize(dim);
    int64_t end = extent + pads.end[dim];
    if (failed(b.reserve(end + pads.begin[dim])))
      return {};
    if (extent == 0)
      return b.error() << "expected elements to repeat along dimension " << dim,
             Value();
    SmallVector<int64_t> sources;
    for (int64_t i = -pads.begin[dim]; i < end; ++i)
      sources.push_back(mode == "edge"   ? std::clamp<int64_t>(i, 0, extent - 1)
                        : mode == "wrap" ? (i % extent + extent) % extent
                                         : reflected(i, extent));
    x = b.create<nn::GatherOp>(x, b.createInts(sources.size(), sources),
                               int64_t(dim));
    if (b.failed())
      return {};
  }
  return x;
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

/// `list` has all begins, then all ends, of `axes`.
static Pads toPads(NodeBinder &b, ArrayRef<int64_t> list,
                   ArrayRef<int64_t> axes) {
  Pads pads(b.shape(0).size());
  if (!b.failed() && list.size() != 2 * axes.size())
    b.error() << "expected " << 2 * axes.size() << " pads, but got "
              << list.size();
  for (size_t i = 0; !b.failed() && i < axes.size(); ++i) {
    pads.begin[axes[i]] = list[i];
    pads.end[axes[i]] = list[axes.size() + i];
  }
  return pads;
}

static SmallVector<int64_t> allAxes(NodeBinder &b) {
  return llvm::to_vector(llvm::seq<int64_t>(0, b.shape(0).size()));
}

/// Pads operand 0, by `value` (null for zero) in mode constant.
static LogicalResult padBy(NodeBinder &b, Pads pads, Value value) {
  StringRef mode = b.getString("mode", "constant");
  Value x = b.input(0);
  if (b.failed())
    return failure();
  x = crop(b, x, pads);
  if (b.failed())
    return failure();
  if (mode == "constant")
    return b.result(padConstant(b, x, pads, value));
  if (mode == "edge" || mode == "reflect" || mode == "wrap")
    return b.result(padByElements(b, x, pads, mode));
  return b.error() << "expected mode constant, edge, reflect or wrap, but got '"
                   << mode << "'";
}

static LogicalResult importPadAttributes(NodeBinder &b) {
  std::optional<SmallVector<int64_t>> list = b.getInts("pads");
  if (!list)
    return b.error() << "expected the attribute 'pads'";
  Pads pads = toPads(b, *list, allAxes(b));
  return padBy(b, pads, b.createScalar(b.getFloat("value", 0.0f)));
}

static LogicalResult importPad(NodeBinder &b) {
  SmallVector<int64_t> list = b.constantInts(1, "pads");
  size_t rank = b.shape(0).size();
  SmallVector<int64_t> axes =
      b.hasInput(3) ? b.normalizeAxes(b.constantInts(3, "axes"), rank)
                    : allAxes(b);
  Pads pads = toPads(b, list, axes);
  return padBy(b, pads, b.hasInput(2) ? b.input(2) : Value());
}

//===----------------------------------------------------------------------===//
// CenterCropPad
//===----------------------------------------------------------------------===//

/// What is odd is one more at the end, both cropped and padded.
static LogicalResult importCenterCropPad(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0), target = b.constantInts(1, "shape");
  SmallVector<int64_t> axes =
      b.normalizeAxes(b.getInts("axes").value_or(allAxes(b)), shape.size());
  Value x = b.input(0);
  if (b.failed())
    return failure();
  if (target.size() != axes.size())
    return b.error() << "expected " << axes.size() << " extents, but got "
                     << target.size();
  Pads pads(shape.size());
  for (auto [axis, extent] : llvm::zip_equal(axes, target)) {
    if (extent < 0 || extent > (int64_t(1) << 31))
      return b.error() << "expected extents in [0, 2^31], but got " << extent;
    int64_t missing = extent - shape[axis];
    pads.begin[axis] = missing / 2;
    pads.end[axis] = missing - missing / 2;
  }
  x = crop(b, x, pads);
  return b.failed() ? failure() : b.result(padConstant(b, x, pads, {}));
}

void registerPadding(HandlerTable &table) {
  table.add("Pad", {Place::Digital, "constant pads"},
            {{2, importPadAttributes}, {11, importPad}});
  table.add("CenterCropPad", {Place::Digital, "constant shape"},
            {{18, importCenterCropPad}});
}

} // namespace cim::onnx
