// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The importer's driver: reads the file, checks the graph, calls a handler per
// node and closes the function.
#include "cim/Frontend/ONNX/ImportOnnx.h"
#include "GraphCheck.h"
#include "InputShapes.h"
#include "NodeBinder.h"
#include "StorageCast.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
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
        state(builder, fileLoc) {}

  FailureOr<OwningOpRef<ModuleOp>> run();

private:
  LogicalResult readFile();
  LogicalResult checkOpset();
  LogicalResult checkOperators();
  LogicalResult bindConstants();
  func::FuncOp createFunction(ModuleOp module);
  LogicalResult importNodes();
  LogicalResult closeFunction(func::FuncOp function);
  void nameModule(ModuleOp module);

  StringRef path;
  const ImportOptions &options;
  OpBuilder builder;
  Location fileLoc;
  ImportState state;
  Model model;
  SmallVector<const Node *> nodes;
  InputShapes shapes;
};

LogicalResult Importer::readFile() {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (std::error_code status = file.getError())
    return emitError(fileLoc) << "cannot read the file: " << status.message();
  std::string message;
  if (!readModel((*file)->getBufferStart(), (*file)->getBufferSize(),
                 llvm::sys::path::parent_path(path).str(), model, message))
    return emitError(fileLoc) << message;
  return success();
}

LogicalResult Importer::checkOpset() {
  auto opset = model.opsets.find("");
  // A file without the default domain has only custom operators, which are
  // reported by name.
  state.opset = opset == model.opsets.end() ? kNewestOpset : opset->second;
  if (state.opset >= kOldestOpset && state.opset <= kNewestOpset)
    return success();
  return emitError(fileLoc)
         << "opset " << state.opset << " is not supported, expected "
         << kOldestOpset << " to " << kNewestOpset
         << "; convert the model with onnx.version_converter";
}

/// Key of the handler table.
static std::string operatorName(const Node &node) {
  return node.domain.empty() ? node.op : node.domain + "." + node.op;
}

static bool hasSubgraph(const Node &node) {
  return llvm::any_of(node.attributes, [](const Attribute &attribute) {
    return attribute.kind == AttributeKind::Graph;
  });
}

/// One error lists all operators without a handler, so that a user learns at
/// once how far the network is from supported.
LogicalResult Importer::checkOperators() {
  llvm::MapVector<StringRef, SmallVector<const Node *>> missing;
  std::vector<std::string> names;
  names.reserve(nodes.size());
  for (const Node *node : nodes)
    if (!HandlerTable::get().lookup(names.emplace_back(operatorName(*node)),
                                    state.opset))
      missing[names.back()].push_back(node);
  if (missing.empty())
    return success();
  InFlightDiagnostic diagnostic = emitError(fileLoc);
  diagnostic << "operators without support in opset " << state.opset << ": "
             << llvm::join(llvm::make_first_range(missing), ", ")
             << "; docs/SupportedOps.md lists what is supported";
  for (auto &[name, readers] : missing) {
    Diagnostic &note = diagnostic.attachNote(nodeLoc(fileLoc, *readers[0]));
    note << name << (hasSubgraph(*readers[0]) ? " (with subgraphs)" : "")
         << " is needed by ";
    for (auto [index, node] : llvm::enumerate(readers))
      note << (index ? ", '" : "'") << node->label() << "'";
  }
  return diagnostic;
}

/// Computed in binary32, which is not what the file says.
static bool isNarrowed(DataType type) {
  return isFloat(type) && type != DataType::Float;
}

LogicalResult Importer::bindConstants() {
  for (const Node *node : nodes)
    for (const std::string &input : node->inputs)
      state.used.insert(input);
  for (const ValueInfo &output : model.outputs)
    state.used.insert(output.name);
  bool narrowed = llvm::any_of(shapes.inputs, [](const InputShape &input) {
    return isNarrowed(input.info->type);
  });
  for (Tensor &tensor : model.initializers) {
    if (!state.isUsed(tensor.name))
      continue;
    narrowed |= isNarrowed(tensor.type);
    std::string name = tensor.name;
    state.values[name].host =
        std::make_shared<const Tensor>(withFloat32(std::move(tensor)));
  }
  if (narrowed)
    emitRemark(fileLoc) << "the file has float16, bfloat16 or double inputs or "
                           "weights; they are imported as float32";
  return success();
}

func::FuncOp Importer::createFunction(ModuleOp module) {
  builder.setInsertionPointToStart(module.getBody());
  SmallVector<Type> types;
  for (const InputShape &input : shapes.inputs)
    types.push_back(RankedTensorType::get(
        input.shape, elementType(builder.getContext(), input.info->type)));
  auto function = func::FuncOp::create(builder, fileLoc, "main",
                                       builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  for (auto [index, input] : llvm::enumerate(shapes.inputs)) {
    function.setArgAttr(index, "nn.name",
                        builder.getStringAttr(input.info->name));
    BlockArgument argument = body->getArgument(index);
    argument.setLoc(
        NameLoc::get(builder.getStringAttr(input.info->name), fileLoc));
    state.values[input.info->name] = {{}, argument};
  }
  builder.setInsertionPointToEnd(body);
  return function;
}

LogicalResult Importer::importNodes() {
  for (const Node *node : nodes) {
    NodeBinder binder(state, *node);
    Handler handler =
        HandlerTable::get().lookup(operatorName(*node), state.opset);
    if (failed(handler(binder)) || binder.failed() ||
        failed(binder.checkOutputs()))
      return failure();
    for (StringRef name : binder.unreadAttributes())
      emitWarning(binder.loc())
          << node->op << " '" << node->label() << "': attribute '" << name
          << "' is not known in opset " << state.opset << " and ignored";
  }
  return success();
}

LogicalResult Importer::closeFunction(func::FuncOp function) {
  SmallVector<Value> results;
  for (const ValueInfo &output : model.outputs) {
    // A node that passes its operand on makes an output of a constant legal.
    Node identity;
    identity.name = output.name;
    identity.op = "graph output";
    identity.inputs = {output.name};
    NodeBinder binder(state, identity);
    Value value = binder.input(0);
    if (!value)
      return failure();
    results.push_back(toStorage(builder, binder.loc(), value));
  }
  func::ReturnOp::create(builder, fileLoc, results);
  function.setType(builder.getFunctionType(function.getArgumentTypes(),
                                           ValueRange(results).getTypes()));
  for (auto [index, output] : llvm::enumerate(model.outputs))
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
}

FailureOr<OwningOpRef<ModuleOp>> Importer::run() {
  builder.getContext()->loadDialect<func::FuncDialect, nn::NNDialect>();
  if (failed(readFile()) || failed(checkOpset()))
    return failure();
  FailureOr<SmallVector<const Node *>> live = orderLiveNodes(model, fileLoc);
  if (failed(live))
    return failure();
  nodes = std::move(*live);
  FailureOr<InputShapes> bound = failure();
  if (failed(checkOperators()) ||
      failed(bound = bindInputShapes(model, options, fileLoc)))
    return failure();
  shapes = std::move(*bound);
  if (shapes.batch != shapes.fileBatch)
    state.batchChange = {shapes.fileBatch, shapes.batch};

  OwningOpRef<ModuleOp> module = ModuleOp::create(fileLoc);
  nameModule(*module);
  if (failed(bindConstants()))
    return failure();
  func::FuncOp function = createFunction(*module);
  if (failed(importNodes()) || failed(closeFunction(function)) ||
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
