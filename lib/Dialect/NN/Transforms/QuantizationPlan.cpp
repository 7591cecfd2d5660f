// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which values and layers nn-quantize turns into integers.
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "QuantTypes.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace cim::nn {

Value getActivationRoot(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && movesData(op)) {
    value = op->getOperand(0);
    op = value.getDefiningOp();
  }
  return value;
}

/// Groups lie side by side on the diagonal of a block (docs/Numerics.md
/// section 2): a block of g groups takes g times the cells of its weights.
static double getCellsPerWeight(const WindowGeometry &geometry,
                                const Arch &arch) {
  int64_t columns = geometry.outC / geometry.groups;
  int64_t perBlock =
      std::min({geometry.groups, arch.arrayRows() / geometry.rowsPerGroup(),
                arch.arrayColumns() / columns});
  if (perBlock <= 1)
    return 1;
  int64_t full = geometry.groups / perBlock, rest = geometry.groups % perBlock;
  return double(full * perBlock * perBlock + rest * rest) /
         double(geometry.groups);
}

bool fitsGroups(const WindowGeometry &geometry, const Arch &arch,
                std::string &reason) {
  double cells = getCellsPerWeight(geometry, arch);
  if (cells <= static_cast<double>(arch.maxCellsPerWeight()))
    return true;
  reason = llvm::formatv("its {0} groups would take {1:f1} cells per weight as "
                         "a block-diagonal matrix, but target '{2}' allows {3}",
                         geometry.groups, cells, arch.name(),
                         arch.maxCellsPerWeight());
  return false;
}

bool runsOnArrays(CrossbarOpInterface op, const Arch &arch,
                  std::string &reason) {
  if (auto why = op->getAttrOfType<StringAttr>(digitalAttrName)) {
    reason = why.str();
    return false;
  }
  Operation *weights = op.getCrossbarWeights().getDefiningOp();
  if (auto dequantize = dyn_cast_or_null<DequantizeOp>(weights))
    weights = dequantize.getInput().getDefiningOp();
  if (!isa_and_nonnull<ConstantOp>(weights)) {
    reason = "its weights are not constant";
    return false;
  }
  FailureOr<WindowGeometry> geometry = op.getWindowGeometry(reason);
  if (failed(geometry))
    return false;
  return fitsGroups(*geometry, arch, reason);
}

LogicalResult checkLayerNames(ModuleOp module, ArrayRef<StringRef> names,
                              ArrayRef<CrossbarOpInterface> layers) {
  llvm::SetVector<StringRef> known;
  for (CrossbarOpInterface op : layers)
    known.insert(getNodeName(op));
  for (StringRef name : names) {
    if (known.contains(name))
      continue;
    InFlightDiagnostic error = module.emitError("no crossbar layer is called '")
                               << name << "'; the layers are ";
    llvm::interleaveComma(
        known, error, [&](StringRef layer) { error << "'" << layer << "'"; });
    return error;
  }
  return success();
}

MatrixKey getMatrixKey(CrossbarOpInterface op) {
  std::string reason;
  FailureOr<WindowGeometry> geometry = op.getWindowGeometry(reason);
  return {op.getCrossbarWeights(), op->getName().getStringRef(),
          op.getCrossbarChannelDim(),
          succeeded(geometry) ? geometry->groups : 0};
}

std::vector<int64_t> getMatrixPlaces(CrossbarOpInterface op,
                                     const WindowGeometry &g) {
  int64_t columns = g.outC, groupColumns = columns / g.groups;
  int64_t groupChannels = g.inC / g.groups;
  bool channelFirst = op.getCrossbarChannelDim() == 0;
  std::vector<int64_t> places(g.rowsPerGroup() * columns);
  for (int64_t n = 0; n < columns; ++n)
    for (int64_t c = 0; c < groupChannels; ++c)
      for (int64_t kh = 0; kh < g.kernelH; ++kh)
        for (int64_t kw = 0; kw < g.kernelW; ++kw) {
          int64_t weight =
              channelFirst
                  ? ((n * groupChannels + c) * g.kernelH + kh) * g.kernelW + kw
                  : c * columns + n;
          int64_t group = n / groupColumns;
          int64_t row =
              ((group * g.kernelH + kh) * g.kernelW + kw) * groupChannels + c;
          places[weight] = row * columns + n;
        }
  return places;
}

std::pair<int64_t, int64_t> getResultChannels(CrossbarOpInterface op) {
  auto type = cast<ShapedType>(op->getResultTypes()[0]);
  int64_t dim = isa<ConvOp>(op) ? 1 : type.getRank() - 1;
  int64_t inner = 1;
  for (int64_t extent : type.getShape().drop_front(dim + 1))
    inner *= extent;
  return {type.getDimSize(dim), inner};
}

bool fitsInput(quant::UniformQuantizedType type, const Arch &arch) {
  if (type.getZeroPoint() != 0 || type.getStorageTypeIntegralWidth() != 8)
    return false;
  Arch::Range range =
      type.isSigned() ? arch.signedInputRange() : arch.unsignedInputRange();
  bool accepted =
      type.isSigned() ? arch.acceptsSignedInput() : arch.acceptsUnsignedInput();
  return accepted && type.getStorageTypeMin() >= range.lo &&
         type.getStorageTypeMax() <= range.hi;
}

std::optional<std::pair<float, float>> getRange(Value root) {
  DenseF32ArrayAttr range;
  if (auto argument = dyn_cast<BlockArgument>(root)) {
    auto function =
        dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
    if (function)
      range = function.getArgAttrOfType<DenseF32ArrayAttr>(
          argument.getArgNumber(), rangeAttrName);
  } else {
    range =
        root.getDefiningOp()->getAttrOfType<DenseF32ArrayAttr>(rangeAttrName);
  }
  if (range && range.size() == 2)
    return std::pair(range[0], range[1]);
  auto dequantize = root.getDefiningOp<DequantizeOp>();
  quant::UniformQuantizedType type = dequantize
                                         ? getUniformType(dequantize.getInput())
                                         : quant::UniformQuantizedType();
  if (!type)
    return std::nullopt;
  auto toReal = [&](int64_t q) {
    return static_cast<float>(type.getScale() *
                              static_cast<double>(q - type.getZeroPoint()));
  };
  return std::pair(toReal(type.getStorageTypeMin()),
                   toReal(type.getStorageTypeMax()));
}

void setRange(Value root, float lo, float hi) {
  auto range = DenseF32ArrayAttr::get(root.getContext(), {lo, hi});
  if (auto argument = dyn_cast<BlockArgument>(root))
    cast<FunctionOpInterface>(argument.getOwner()->getParentOp())
        .setArgAttr(argument.getArgNumber(), rangeAttrName, range);
  else
    root.getDefiningOp()->setAttr(rangeAttrName, range);
}

void removeRange(Value root) {
  if (auto argument = dyn_cast<BlockArgument>(root)) {
    if (auto function =
            dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp()))
      function.removeArgAttr(argument.getArgNumber(), rangeAttrName);
  } else {
    root.getDefiningOp()->removeAttr(rangeAttrName);
  }
}

quant::UniformQuantizedType getInputType(MLIRContext *context, const Arch &arch,
                                         float lo, float hi) {
  bool isUnsigned =
      !arch.acceptsSignedInput() || (lo >= 0 && arch.acceptsUnsignedInput());
  Arch::Range range =
      isUnsigned ? arch.unsignedInputRange() : arch.signedInputRange();
  float magnitude = isUnsigned ? hi : std::max(std::abs(lo), std::abs(hi));
  // A dead activation has no scale of its own.
  float scale = magnitude / static_cast<float>(range.hi);
  if (!(scale >= std::numeric_limits<float>::min()))
    scale = 1;
  return getActivationType(context, scale, range.lo, range.hi);
}

} // namespace cim::nn
