// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a runtime asks of a network's inputs and outputs, asked of the imported
// network: later, calibration may already have taken minutes. The reader's
// half is runtime/Model/Manifest.cpp.
#include "CheckInterface.h"
#include "cim-c/model.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

static bool hasTooManyElements(ArrayRef<int64_t> shape) {
  uint64_t elements = 1;
  for (int64_t extent : shape)
    elements = llvm::SaturatingMultiply<uint64_t>(elements, extent);
  return elements > CIM_MODEL_MAX_ELEMENTS;
}

static LogicalResult checkTensor(Location loc, const Twine &tensor, Type type,
                                 int64_t batch) {
  auto error = [&] { return emitError(loc) << tensor << ": "; };
  ArrayRef<int64_t> shape = cast<RankedTensorType>(type).getShape();
  if (shape.empty() || shape.size() > CIM_MODEL_MAX_RANK)
    return error() << "expected 1 to " << CIM_MODEL_MAX_RANK
                   << " dimensions, the batch first, but it has "
                   << shape.size();
  if (shape.front() != batch)
    return error() << "expected the batch of " << batch
                   << " as first dimension, as the first graph input has it, "
                      "but got "
                   << type;
  if (batch > CIM_MODEL_MAX_BATCH)
    return error() << "expected a batch of at most " << CIM_MODEL_MAX_BATCH
                   << ", but got " << type << "; pass a smaller one with "
                   << "--shape";
  if (llvm::is_contained(shape, 0))
    return error() << "expected elements, but got " << type;
  if (hasTooManyElements(shape))
    return error() << "expected at most " << CIM_MODEL_MAX_ELEMENTS
                   << " elements, but got " << type;
  return success();
}

LogicalResult cim::checkInterface(ModuleOp module, Location loc) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  auto batch = module->getAttrOfType<IntegerAttr>("nn.batch");
  assert(main && batch && "expected an imported network");
  if (main.getNumArguments() == 0)
    return emitError(loc) << "the graph has no inputs, expected at least one";

  for (auto [index, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto name = main.getArgAttrOfType<StringAttr>(index, "nn.name");
    if (failed(checkTensor(loc, "graph input '" + name.getValue() + "'", type,
                           batch.getInt())))
      return failure();
  }
  for (auto [index, type] : llvm::enumerate(main.getResultTypes())) {
    auto name = main.getResultAttrOfType<StringAttr>(index, "nn.name");
    if (failed(checkTensor(loc, "graph output '" + name.getValue() + "'", type,
                           batch.getInt())))
      return failure();
  }
  return success();
}
