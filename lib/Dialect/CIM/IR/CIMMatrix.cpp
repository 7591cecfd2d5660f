// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Logical level of the cim dialect: matrix, block, mvm.
#include "Checks.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace cim;

//===----------------------------------------------------------------------===//
// MatrixOp
//===----------------------------------------------------------------------===//

static ArrayRef<int64_t> shapeOf(ElementsAttr value) {
  return cast<ShapedType>(cast<TypedAttr>(value).getType()).getShape();
}

void MatrixOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                     ElementsAttr weights, int64_t levels, int64_t groups) {
  state.addAttribute(getSymNameAttrName(state.name),
                     builder.getStringAttr(name));
  state.addAttribute(getWeightsAttrName(state.name), weights);
  state.addAttribute(getLevelsAttrName(state.name),
                     builder.getI64IntegerAttr(levels));
  state.addAttribute(getGroupsAttrName(state.name),
                     builder.getI64IntegerAttr(groups));
  state.addRegion()->emplaceBlock();
}

int64_t MatrixOp::getRows() { return shapeOf(getWeights())[0]; }
int64_t MatrixOp::getColumns() { return shapeOf(getWeights())[1]; }

int64_t MatrixOp::getCellsPerWeight() {
  return getPlanes() ? shapeOf(*getPlanes())[0] : 1;
}

int64_t MatrixOp::getRepeat() {
  return getSplit() == Split::Unary ? getCellsPerWeight() : 1;
}

LogicalResult MatrixOp::verify() {
  auto type = cast<ShapedType>(cast<TypedAttr>(getWeights()).getType());
  if (type.getRank() != 2 || !type.getElementType().isSignlessInteger(8))
    return emitOpError("expects weights of rank 2 and i8, but got ") << type;
  if (type.getNumElements() == 0)
    return emitOpError("expects at least one row and one column, but got ")
           << type;
  int64_t levels = getLevels();
  if (levels < 1 || levels > 127)
    return emitOpError("expects levels from 1 to 127, but got ") << levels;
  int64_t groups = getGroups();
  if (groups < 1 || getRows() % groups != 0 || getColumns() % groups != 0)
    return emitOpError("expects groups to divide ")
           << getRows() << " rows and " << getColumns() << " columns, but got "
           << groups;
  if (!getSplit())
    return success();
  if (*getSplit() == Split::Auto)
    return emitOpError("expects the split that 'auto' became");
  if (!getPlanes() || !getSignificance())
    return emitOpError("expects planes and significance with a split");
  auto planes = cast<ShapedType>(cast<TypedAttr>(*getPlanes()).getType());
  if (planes.getRank() != 3 || planes.getDimSize(0) < 1)
    return emitOpError("expects planes of shape [cells, rows, columns], but "
                       "got [")
           << planes.getShape() << "]";
  Builder builder(getContext());
  int64_t cells = planes.getDimSize(0);
  int64_t results = getRepeat() == 1 ? cells : 1;
  if (failed(verifyElements(*this, "planes", *getPlanes(),
                            {cells, getRows(), getColumns()},
                            builder.getI8Type())))
    return failure();
  return verifyElements(*this, "significance", *getSignificance(),
                        {results, getColumns()}, builder.getF32Type());
}

//===----------------------------------------------------------------------===//
// BlockOp
//===----------------------------------------------------------------------===//

/// Matrix rows, matrix columns and result planes of a block's parent.
static std::array<int64_t, 3> parentExtent(Operation *parent) {
  if (auto matrix = dyn_cast<MatrixOp>(parent)) {
    int64_t planes = matrix.getRepeat() == 1 ? matrix.getCellsPerWeight() : 1;
    return {matrix.getRows(), matrix.getColumns(), planes};
  }
  auto layer = cast<LayerOp>(parent);
  int64_t taps = layer.getKernel()[0] * layer.getKernel()[1];
  return {layer.getInput()[2] * taps, layer.getOutput()[2],
          shapeOf(layer.getSignificance())[0]};
}

LogicalResult BlockOp::verify() {
  auto [rows, columns, planes] = parentExtent((*this)->getParentOp());
  auto inside = [](int64_t begin, int64_t count, int64_t extent) {
    return begin >= 0 && count >= 1 && count <= extent &&
           begin <= extent - count;
  };
  if (!inside(getK(), getKCount(), rows))
    return emitOpError("expects rows within the ")
           << rows << " of the matrix, but got "
           << static_cast<int64_t>(getKCount()) << " from "
           << static_cast<int64_t>(getK());
  if (!inside(getN(), getNCount(), columns))
    return emitOpError("expects columns within the ")
           << columns << " of the matrix, but got "
           << static_cast<int64_t>(getNCount()) << " from "
           << static_cast<int64_t>(getN());
  if (!inside(getPlane(), 1, planes))
    return emitOpError("expects a plane in [0, ")
           << planes << "), but got " << static_cast<int64_t>(getPlane());
  if (getGain() && !(getGain()->isFinite() && !getGain()->isNegative() &&
                     !getGain()->isZero()))
    return emitOpError("expects a positive finite gain, but got ")
           << getGainAttr();
  if (getArray() && (static_cast<int64_t>(*getRow()) < 0 ||
                     static_cast<int64_t>(*getColumn()) < 0))
    return emitOpError("expects a place at row and column of at least 0, but "
                       "got ")
           << static_cast<int64_t>(*getRow()) << ", "
           << static_cast<int64_t>(*getColumn());
  return success();
}

//===----------------------------------------------------------------------===//
// MvmOp
//===----------------------------------------------------------------------===//

LogicalResult MvmOp::verify() {
  ShapedType in = getInput().getType(), out = getType();
  if (in.getRank() != 4 || out.getRank() != 4)
    return emitOpError("expects NHWC operand and result of rank 4, but got "
                       "ranks ")
           << in.getRank() << " and " << out.getRank();
  if (in.getDimSize(0) != out.getDimSize(0))
    return emitOpError("expects as many images in the result as in the "
                       "operand, but got ")
           << in.getDimSize(0) << " and " << out.getDimSize(0);
  if (failed(verifyEntries(*this, "kernel", getKernel(), 2, 1)) ||
      failed(verifyEntries(*this, "strides", getStrides(), 2, 1)) ||
      failed(verifyEntries(*this, "dilations", getDilations(), 2, 1)) ||
      failed(verifyEntries(*this, "pads", getPads(), 2, 0)))
    return failure();
  StringRef names[] = {"height", "width"};
  for (int i = 0; i < 2; ++i)
    if (failed(verifyWindow(*this, names[i], in.getDimSize(1 + i),
                            out.getDimSize(1 + i), getKernel()[i],
                            getStrides()[i], getDilations()[i], getPads()[i])))
      return failure();
  Type f64 = Float64Type::get(getContext());
  int64_t channels = out.getDimSize(3);
  std::pair<StringRef, std::optional<ElementsAttr>> tables[] = {
      {"scale", getScale()},
      {"bias", getBias()},
      {"mean", getMean()},
      {"deviation", getDeviation()}};
  for (auto &[name, table] : tables)
    if (table && failed(verifyElements(*this, name, *table, {channels}, f64)))
      return failure();
  if (!(getLo() <= getHi()))
    return emitOpError("expects lo <= hi, but got ")
           << getLoAttr() << " and " << getHiAttr();
  return success();
}

LogicalResult MvmOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto matrix =
      symbols.lookupNearestSymbolFrom<MatrixOp>(*this, getMatrixAttr());
  if (!matrix)
    return emitOpError("expects a cim.matrix named ") << getMatrixAttr();
  int64_t rows =
      getInput().getType().getDimSize(3) * getKernel()[0] * getKernel()[1];
  int64_t columns = getType().getDimSize(3);
  if (matrix.getRows() == rows && matrix.getColumns() == columns)
    return success();
  InFlightDiagnostic error =
      emitOpError("expects a matrix of ")
      << rows << " rows and " << columns << " columns, but " << getMatrixAttr()
      << " has " << matrix.getRows() << " and " << matrix.getColumns();
  error.attachNote(matrix.getLoc()) << "matrix is here";
  return error;
}
