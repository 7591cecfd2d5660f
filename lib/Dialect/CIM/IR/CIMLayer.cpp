// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Program level of the cim dialect: array, layer, stream.
#include "Checks.h"

using namespace mlir;
using namespace cim;

LogicalResult ArrayOp::verify() {
  auto type = cast<ShapedType>(cast<TypedAttr>(getImage()).getType());
  if (type.getRank() == 2 && type.getElementType().isSignlessInteger(8))
    return success();
  return emitOpError("expects an image of rank 2 and i8, but got ") << type;
}

//===----------------------------------------------------------------------===//
// LayerOp
//===----------------------------------------------------------------------===//

static LogicalResult verifyTypes(LayerOp op) {
  auto integer = dyn_cast<IntegerType>(op.getInputType());
  if (!integer || integer.getWidth() != 8 || integer.isSigned())
    return op.emitOpError("expects an input of i8 or ui8, but got ")
           << op.getInputType();
  if (op.getOutputType().isF32())
    return success();
  auto output = dyn_cast<IntegerType>(op.getOutputType());
  if (!output || output.getWidth() != 8 || output.isSigned())
    return op.emitOpError("expects an output of f32, i8 or ui8, but got ")
           << op.getOutputType();
  return success();
}

LogicalResult LayerOp::verify() {
  if (failed(verifyEntries(*this, "input", getInput(), 3, 1)) ||
      failed(verifyEntries(*this, "output", getOutput(), 3, 1)) ||
      failed(verifyEntries(*this, "kernel", getKernel(), 2, 1)) ||
      failed(verifyEntries(*this, "strides", getStrides(), 2, 1)) ||
      failed(verifyEntries(*this, "dilations", getDilations(), 2, 1)) ||
      failed(verifyEntries(*this, "pads", getPads(), 2, 0)) ||
      failed(verifyTypes(*this)))
    return failure();
  StringRef names[] = {"height", "width"};
  for (int i = 0; i < 2; ++i)
    if (failed(verifyWindow(*this, names[i], getInput()[i], getOutput()[i],
                            getKernel()[i], getStrides()[i], getDilations()[i],
                            getPads()[i])))
      return failure();
  int64_t groups = getGroups(), channels = getOutput()[2];
  if (groups < 1 || getInput()[2] % groups != 0 || channels % groups != 0)
    return emitOpError("expects groups to divide ")
           << getInput()[2] << " input and " << channels
           << " output channels, but got " << groups;
  auto significance =
      cast<ShapedType>(cast<TypedAttr>(getSignificance()).getType());
  if (significance.getRank() != 2 || significance.getDimSize(0) < 1)
    return emitOpError("expects significance of shape [planes, channels], but "
                       "got [")
           << significance.getShape() << "]";
  Type f32 = Float32Type::get(getContext());
  if (failed(verifyElements(*this, "significance", getSignificance(),
                            {significance.getDimSize(0), channels}, f32)) ||
      failed(verifyElements(*this, "scale", getScale(), {channels}, f32)) ||
      failed(verifyElements(*this, "bias", getBias(), {channels}, f32)))
    return failure();
  int64_t repeat = getRepeat();
  if (repeat < 1)
    return emitOpError("expects repeat of at least 1, but got ") << repeat;
  if (!(getLo() <= getHi()))
    return emitOpError("expects lo <= hi, but got ")
           << getLoAttr() << " and " << getHiAttr();
  return success();
}

//===----------------------------------------------------------------------===//
// StreamOp
//===----------------------------------------------------------------------===//

LogicalResult StreamOp::verify() {
  bool onTensors = isa<TensorType>(getOutput().getType());
  if (isa<TensorType>(getInput().getType()) != onTensors)
    return emitOpError("expects tensors or buffers for both operands, but got ")
           << getInput().getType() << " and " << getOutput().getType();
  if (onTensors != static_cast<bool>(getResult()))
    return emitOpError(onTensors ? "expects a result for a tensor output"
                                 : "expects no result for a buffer output");
  if (onTensors && getResult().getType() != getOutput().getType())
    return emitOpError("expects a result of ")
           << getOutput().getType() << ", but got " << getResult().getType();
  return success();
}

/// Checks a map against what the layer says about it.
static LogicalResult verifyMap(StreamOp op, LayerOp layer, StringRef what,
                               Value value, ArrayRef<int64_t> shape,
                               Type layerType) {
  auto type = cast<ShapedType>(value.getType());
  // Storage is signless; the layer remembers the sign.
  Type element =
      layerType.isF32() ? layerType : IntegerType::get(op.getContext(), 8);
  if (type.getShape().drop_front() == shape && type.getElementType() == element)
    return success();
  InFlightDiagnostic error = op.emitOpError("expects an ")
                             << what << " of images of [" << shape << "] "
                             << element << ", but got " << type;
  error.attachNote(layer.getLoc()) << "layer is here";
  return error;
}

LogicalResult StreamOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto layer = symbols.lookupNearestSymbolFrom<LayerOp>(*this, getLayerAttr());
  if (!layer)
    return emitOpError("expects a cim.layer named ") << getLayerAttr();
  if (failed(verifyMap(*this, layer, "input", getInput(), layer.getInput(),
                       layer.getInputType())))
    return failure();
  return verifyMap(*this, layer, "output", getOutput(), layer.getOutput(),
                   layer.getOutputType());
}

void StreamOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (isa<TensorType>(getOutput().getType()))
    return;
  effects.emplace_back(MemoryEffects::Read::get(), &getInputMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getOutputMutable());
}
