// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The importer's driver: reads the file, binds the shapes of inputs, has the
// graph imported and closes the function.
#include "cim/Frontend/ONNX/ImportOnnx.h"
#include "GraphImporter.h"
#include "InputShapes.h"
#include "NodeBinder.h"
#include "StorageCast.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace cim::onnx {
namespace {

class Importer {
public:
  Importer(MLIRContext &context, StringRef path, const ImportOptions &options)
      : path(path), options(options), builder(&context),
        fileLoc(FileLineColLoc::get(&context, path, 0, 0)),
        state(builder, fileLoc, model) {}

  FailureOr<OwningOpRef<ModuleOp>> run();

private:
  LogicalResult readFile();
  LogicalResult checkOpset();
  LogicalResult bindShapes();
  func::FuncOp createFunction(ModuleOp module);
  Value reshape(Value value, ArrayRef<int64_t> shape);
  LogicalResult importGraph(GraphImporter &graph, func::FuncOp function);
  LogicalResult closeFunction(ArrayRef<ImportedValue> outputs,
                              func::FuncOp function);
  void nameModule(ModuleOp module);

  StringRef path;
  const ImportOptions &options;
  OpBuilder builder;
  Location fileLoc;
  ImportState state;
  Model model;
  InputShapes shapes;
};

LogicalResult Importer::readFile() {
  // A device such as /dev/zero has no end.
  llvm::sys::fs::file_status kind;
  if (!llvm::sys::fs::status(path, kind) &&
      kind.type() != llvm::sys::fs::file_type::regular_file)
    return emitError(fileLoc) << "expected a file, found a "
                              << (llvm::sys::fs::is_directory(kind)
                                      ? "folder"
                                      : "pipe or device; copy it to a file");
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (std::error_code status = file.getError())
    return emitError(fileLoc) << "cannot read the file: " << status.message();
  std::string message;
  if (!readModel((*file)->getBufferStart(), (*file)->getBufferSize(),
                 llvm::sys::path::parent_path(path).str(), model, message))
    return emitError(fileLoc) << message;
  state.tableBudget += kTableFactor * int64_t((*file)->getBufferSize());
  return success();
}

LogicalResult Importer::checkOpset() {
  auto opset = model.opsets.find("");
  if (opset == model.opsets.end() || isSupportedOpset(opset->second))
    return success();
  return emitError(fileLoc)
         << "opset " << opset->second << " is not supported, expected "
         << kOldestOpset << " to " << kNewestOpset
         << "; convert the model with onnx.version_converter";
}

LogicalResult Importer::bindShapes() {
  FailureOr<InputShapes> bound = bindInputShapes(model.graph, options, fileLoc);
  if (failed(bound))
    return failure();
  shapes = std::move(*bound);
  if (shapes.batch != shapes.fileBatch)
    state.batchChange = {shapes.fileBatch, shapes.batch};
  for (const InputShape &input : shapes.inputs)
    if (isFloat(input.info->type) && input.info->type != DataType::Float)
      state.remarkNarrowed();
  return success();
}

func::FuncOp Importer::createFunction(ModuleOp module) {
  builder.setInsertionPointToStart(module.getBody());
  SmallVector<Type> types;
  for (const InputShape &input : shapes.inputs)
    types.push_back(RankedTensorType::get(
        input.shape.empty() ? ArrayRef<int64_t>(1) : input.shape,
        elementType(builder.getContext(), input.info->type)));
  auto function = func::FuncOp::create(builder, fileLoc, "main",
                                       builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  for (auto [index, input] : llvm::enumerate(shapes.inputs)) {
    function.setArgAttr(index, "nn.name",
                        builder.getStringAttr(input.info->name));
    BlockArgument argument = body->getArgument(index);
    argument.setLoc(
        NameLoc::get(builder.getStringAttr(input.info->name), fileLoc));
  }
  builder.setInsertionPointToEnd(body);
  return function;
}

/// Between a scalar and the tensor of one element that stands for it in
/// `@main`, where everything has a batch.
Value Importer::reshape(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<ShapedType>(value.getType());
  return nn::ReshapeOp::create(
      builder, value.getLoc(),
      RankedTensorType::get(shape, type.getElementType()), value);
}

LogicalResult Importer::importGraph(GraphImporter &graph,
                                    func::FuncOp function) {
  SmallVector<ImportedValue> inputs, outputs;
  for (auto [argument, input] :
       llvm::zip_equal(function.getArguments(), shapes.inputs)) {
    Value value = argument;
    if (input.shape.empty())
      value = reshape(value, {});
    inputs.push_back({{}, value});
  }
  {
    ScopedDiagnosticHandler collect(
        builder.getContext(), [&](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return failure();
          state.errors.add(diagnostic);
          return success();
        });
    outputs = graph.run(inputs, "");
  }
  // What is refused and no output depends on is not missed.
  if (llvm::any_of(outputs, std::mem_fn(&ImportedValue::isMissing)))
    return state.errors.report(fileLoc);
  return closeFunction(outputs, function);
}

LogicalResult Importer::closeFunction(ArrayRef<ImportedValue> outputs,
                                      func::FuncOp function) {
  SmallVector<Value> results;
  Scope scope;
  scope.opsets = &model.opsets;
  state.scope = &scope;
  for (auto [info, value] : llvm::zip_equal(model.graph.outputs, outputs)) {
    // A node that passes its operand on makes an output of a constant legal.
    Node identity;
    identity.name = info.name;
    identity.op = "graph output";
    identity.inputs = {info.name};
    state.bind(info.name, value);
    NodeBinder binder(state, identity);
    Value result = binder.input(0);
    if (!result)
      return failure();
    result = toStorage(builder, binder.loc(), result);
    if (cast<ShapedType>(result.getType()).getRank() == 0)
      result = reshape(result, 1);
    results.push_back(result);
  }
  func::ReturnOp::create(builder, fileLoc, results);
  function.setType(builder.getFunctionType(function.getArgumentTypes(),
                                           ValueRange(results).getTypes()));
  for (auto [index, output] : llvm::enumerate(model.graph.outputs))
    function.setResultAttr(index, "nn.name",
                           builder.getStringAttr(output.name));
  // What only shapes were asked of has no readers now.
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  return success();
}

void Importer::nameModule(ModuleOp module) {
  module->setAttr("nn.model",
                  builder.getStringAttr(llvm::sys::path::stem(path)));
  module->setAttr("nn.batch", builder.getI64IntegerAttr(shapes.batch));
  SmallVector<NamedAttribute> metadata;
  for (const auto &[key, value] : model.metadata)
    metadata.push_back(builder.getNamedAttr(key, builder.getStringAttr(value)));
  if (!metadata.empty())
    module->setAttr("nn.metadata", builder.getDictionaryAttr(metadata));
}

FailureOr<OwningOpRef<ModuleOp>> Importer::run() {
  builder.getContext()->loadDialect<func::FuncDialect, nn::NNDialect>();
  GraphImporter graph(state, model.graph);
  if (failed(readFile()) || failed(checkOpset()) ||
      failed(graph.prepare(fileLoc, model.opsets)) || failed(bindShapes()))
    return failure();

  OwningOpRef<ModuleOp> module = ModuleOp::create(fileLoc);
  nameModule(*module);
  if (failed(importGraph(graph, createFunction(*module))) ||
      failed(verify(*module)))
    return failure();
  return module;
}

} // namespace
} // namespace cim::onnx

FailureOr<OwningOpRef<ModuleOp>> cim::importOnnx(MLIRContext &context,
                                                 StringRef path,
                                                 const ImportOptions &options) {
  return onnx::Importer(context, path, options).run();
}
