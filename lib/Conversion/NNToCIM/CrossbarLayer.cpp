// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether, and as which matrix, an op runs on the arrays of a target.
#include "CrossbarLayer.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace cim;

namespace {

class Analysis {
public:
  Analysis(CrossbarOpInterface op, const Arch &arch, std::string &reason)
      : op(op), arch(arch), reason(reason) {}

  FailureOr<CrossbarLayer> run(int64_t batch) {
    // What cannot change comes first: a group that wastes cells is a better
    // reason than that nobody quantised it.
    if (failed(readGeometry(batch)) || failed(checkGroups()) ||
        failed(readInput()) || failed(readWeights()) || failed(readBias()) ||
        failed(makeMatrix()))
      return failure();
    return std::move(layer);
  }

private:
  LogicalResult because(const llvm::Twine &why) {
    reason = why.str();
    return failure();
  }

  LogicalResult readInput();
  LogicalResult readWeights();
  LogicalResult readBias();
  LogicalResult readGeometry(int64_t batch);
  LogicalResult checkGroups();
  LogicalResult makeMatrix();

  CrossbarOpInterface op;
  const Arch &arch;
  std::string &reason;
  CrossbarLayer layer;
  double inputScale = 0;
  std::vector<int64_t> weights;
};

} // namespace

static std::string describe(int64_t lo, int64_t hi) {
  return llvm::formatv("{0}..{1}", lo, hi);
}

LogicalResult Analysis::readInput() {
  if (auto why = op->getAttrOfType<StringAttr>(nn::digitalAttrName))
    return because(why.getValue());
  Type element = getElementTypeOrSelf(op.getCrossbarInput().getType());
  if (!isa<quant::QuantizedType>(element))
    return because("its input is not quantised");
  auto type = dyn_cast<quant::UniformQuantizedType>(element);
  if (!type)
    return because("its input has more than one scale");
  if (type.getZeroPoint() != 0)
    return because("its input has zero point " + Twine(type.getZeroPoint()) +
                   ", but arrays multiply with the integers themselves");
  if (type.getStorageTypeIntegralWidth() != 8)
    return because("its input is stored in " +
                   Twine(type.getStorageTypeIntegralWidth()) +
                   " bits, but feature maps on arrays are stored in 8");
  int64_t lo = type.getStorageTypeMin(), hi = type.getStorageTypeMax();
  auto fits = [&](bool accepted, Arch::Range range) {
    return accepted && lo >= range.lo && hi <= range.hi;
  };
  inputScale = type.getScale();
  if (fits(arch.acceptsSignedInput(), arch.signedInputRange()) ||
      fits(arch.acceptsUnsignedInput(), arch.unsignedInputRange()))
    return success();
  std::string ranges;
  if (arch.acceptsSignedInput())
    ranges = describe(arch.signedInputRange().lo, arch.signedInputRange().hi);
  if (arch.acceptsUnsignedInput())
    ranges +=
        (ranges.empty() ? "" : " or ") +
        describe(arch.unsignedInputRange().lo, arch.unsignedInputRange().hi);
  return because("its input is in " + describe(lo, hi) + ", but target '" +
                 arch.name() + "' takes " + ranges);
}

/// The scales of a weight type along its output channels; empty when it is not
/// the kind of type that arrays take.
static std::vector<double> weightScales(quant::QuantizedType type,
                                        int64_t channelDim, int64_t channels) {
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(type))
    return std::vector<double>(perTensor.getZeroPoint() ? 0 : channels,
                               perTensor.getScale());
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!perAxis || perAxis.getQuantizedDimension() != channelDim ||
      llvm::any_of(perAxis.getZeroPoints(),
                   [](int64_t zeroPoint) { return zeroPoint != 0; }))
    return {};
  return perAxis.getScales().vec();
}

LogicalResult Analysis::readWeights() {
  Value value = op.getCrossbarWeights();
  if (!value.getDefiningOp<nn::ConstantOp>())
    return because("its weights are not constant");
  auto tensor = cast<ShapedType>(value.getType());
  auto type = dyn_cast<quant::QuantizedType>(tensor.getElementType());
  if (!type)
    return because("its weights are not quantised");
  if (!type.isSigned() || type.getStorageTypeIntegralWidth() != 8)
    return because("its weights are not signed 8-bit integers");
  int64_t channelDim = op.getCrossbarChannelDim();
  layer.scale = weightScales(type, channelDim, tensor.getDimSize(channelDim));
  if (layer.scale.empty())
    return because("its weights do not have zero point 0 and one scale or one "
                   "per output channel");
  for (double &scale : layer.scale)
    scale *= inputScale;
  layer.levels = std::max(-type.getStorageTypeMin(), type.getStorageTypeMax());
  if (layer.levels > 127)
    return because("its weights may be -128, which has no negative in 8 bits; "
                   "quantise them to -127..127");
  FailureOr<std::vector<int64_t>> values = nn::readIntegers(value);
  if (failed(values))
    return because("the data of its weights is missing");
  weights = std::move(*values);
  for (int64_t weight : weights)
    if (std::abs(weight) > layer.levels)
      return because("a weight is " + Twine(weight) + ", but its type allows " +
                     describe(-layer.levels, layer.levels));
  return success();
}

LogicalResult Analysis::readBias() {
  layer.bias.assign(layer.scale.size(), 0.0);
  Value bias = op.getCrossbarBias();
  if (!bias)
    return success();
  FailureOr<std::vector<float>> values = nn::readFloats(bias);
  if (failed(values))
    return because("its bias is not constant");
  layer.bias.assign(values->begin(), values->end());
  return success();
}

LogicalResult Analysis::readGeometry(int64_t batch) {
  std::string why;
  FailureOr<WindowGeometry> geometry = op.getWindowGeometry(why);
  if (failed(geometry))
    return because(why);
  layer.geometry = *geometry;
  // Weights beyond a matrix have spatial dimensions, and so have the maps.
  layer.channelsFirst =
      cast<ShapedType>(op.getCrossbarWeights().getType()).getRank() > 2;
  int64_t images = geometry->images;
  if (batch == 0 || images == batch)
    return success();
  // Windows of one sample of a matrix product may count as its images.
  if (layer.channelsFirst || images % batch != 0)
    return because("it runs on " + Twine(images) +
                   " images, but the network on " + Twine(batch) +
                   " samples per call");
  layer.geometry.images = batch;
  layer.geometry.inW *= images / batch;
  layer.geometry.outW *= images / batch;
  return success();
}

LogicalResult Analysis::checkGroups() {
  std::string why;
  return nn::fitsGroups(layer.geometry, arch, why) ? success() : because(why);
}

LogicalResult Analysis::makeMatrix() {
  const WindowGeometry &g = layer.geometry;
  layer.matrix.assign(g.matrixRows() * g.outC, 0);
  for (auto [weight, place] :
       llvm::zip_equal(weights, nn::getMatrixPlaces(op, g)))
    layer.matrix[place] = static_cast<int8_t>(weight);
  return success();
}

FailureOr<CrossbarLayer> CrossbarLayer::analyse(CrossbarOpInterface op,
                                                const Arch &arch, int64_t batch,
                                                std::string &reason) {
  return Analysis(op, arch, reason).run(batch);
}
