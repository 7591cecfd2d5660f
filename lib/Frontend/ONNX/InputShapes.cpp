// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --shape, --batch and symbolic dimensions.
#include "InputShapes.h"
#include "HostTensor.h"
#include "NodeBinder.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace cim {

/// Numbers separated by 'x', all positive.
static std::optional<SmallVector<int64_t>> parseShape(StringRef text) {
  SmallVector<int64_t> shape;
  for (StringRef part : llvm::split(text, 'x')) {
    int64_t extent = 0;
    if (part.getAsInteger(10, extent) || extent < 1)
      return std::nullopt;
    shape.push_back(extent);
  }
  return shape;
}

std::optional<std::string> addShapeOption(ImportOptions &options,
                                          StringRef text) {
  // Input names may hold '=' and ':', shapes do not.
  auto [name, extents] = text.rsplit('=');
  std::optional<SmallVector<int64_t>> shape = parseShape(extents);
  if (name.empty() || !shape)
    return "expected --shape NAME=1x3x32x32 with positive extents, but got '" +
           text.str() + "'";
  if (!options.shapes.try_emplace(name, *shape).second)
    return "--shape gives the shape of '" + name.str() + "' twice";
  return std::nullopt;
}

namespace onnx {
namespace {
class Binder {
public:
  Binder(const ImportOptions &options, Location fileLoc)
      : options(options), fileLoc(fileLoc) {}

  FailureOr<InputShapes> run(const Graph &graph);

private:
  LogicalResult checkOptions(ArrayRef<ValueInfo> inputs);
  LogicalResult bindSymbols(const ValueInfo &input);
  FailureOr<SmallVector<int64_t>> resolve(const ValueInfo &input);
  FailureOr<int64_t> resolveDim(const ValueInfo &input, size_t index);
  InFlightDiagnostic error(const ValueInfo &input) {
    return emitError(fileLoc) << "graph input '" << input.name << "': ";
  }
  std::string flagHint(const ValueInfo &input, int64_t batch = 1);

  const ImportOptions &options;
  Location fileLoc;
  llvm::StringMap<int64_t> symbols;
};

LogicalResult Binder::checkOptions(ArrayRef<ValueInfo> inputs) {
  SmallVector<StringRef> names;
  for (const ValueInfo &input : inputs)
    names.push_back(input.name);
  for (const auto &shape : options.shapes)
    if (!llvm::is_contained(names, shape.getKey()))
      return emitError(fileLoc) << "--shape names '" << shape.getKey()
                                << "', expected one of the graph's inputs: "
                                << llvm::join(names, ", ");
  if (options.batch && *options.batch < 1)
    return emitError(fileLoc)
           << "expected a batch of at least 1, but got " << *options.batch;
  return success();
}

std::string Binder::flagHint(const ValueInfo &input, int64_t batch) {
  std::string text = "--shape " + input.name + "=";
  for (auto [index, dim] : llvm::enumerate(input.dims)) {
    text += index ? "x" : "";
    text += dim.isStatic          ? std::to_string(dim.value)
            : index == 0          ? std::to_string(batch)
            : !dim.symbol.empty() ? "<" + dim.symbol + ">"
                                  : "<extent>";
  }
  return text;
}

/// A shape given for one input binds the symbols it shares with others.
LogicalResult Binder::bindSymbols(const ValueInfo &input) {
  auto given = options.shapes.find(input.name);
  if (given == options.shapes.end() || !input.hasShape)
    return success();
  ArrayRef<int64_t> shape = given->second;
  if (shape.size() != input.dims.size())
    return error(input) << "expected --shape of " << input.dims.size()
                        << " dimensions, but got " << shapeText(shape);
  for (auto [index, dim] : llvm::enumerate(input.dims)) {
    if (!dim.isStatic) {
      if (dim.symbol.empty())
        continue;
      auto [bound, isNew] = symbols.try_emplace(dim.symbol, shape[index]);
      if (!isNew && bound->second != shape[index])
        return error(input) << "--shape binds '" << dim.symbol << "' to both "
                            << bound->second << " and " << shape[index];
    } else if (index > 0 && dim.value != shape[index]) {
      return error(input) << "expected --shape to keep extent " << dim.value
                          << " of dimension " << index << ", but got "
                          << shape[index];
    }
  }
  return success();
}

FailureOr<int64_t> Binder::resolveDim(const ValueInfo &input, size_t index) {
  const Dim &dim = input.dims[index];
  if (index == 0 && options.batch)
    return *options.batch;
  auto given = options.shapes.find(input.name);
  if (given != options.shapes.end())
    return given->second[index];
  if (dim.isStatic)
    return dim.value;
  auto bound = symbols.find(dim.symbol);
  if (!dim.symbol.empty() && bound != symbols.end())
    return bound->second;
  if (index > 0)
    return error(input) << "dimension " << index << " ('" << dim.symbol
                        << "') has no fixed extent; pass " << flagHint(input);
  emitRemark(fileLoc) << "graph input '" << input.name << "': batch dimension '"
                      << dim.symbol
                      << "' is bound to 1, one sample per call; for 8, say, "
                         "pass "
                      << flagHint(input, 8);
  if (!dim.symbol.empty())
    symbols[dim.symbol] = 1;
  return 1;
}

FailureOr<SmallVector<int64_t>> Binder::resolve(const ValueInfo &input) {
  if (!input.isTensor)
    return error(input) << "expected a tensor, but it is a sequence, map, "
                           "optional or sparse tensor";
  if (!elementType(fileLoc.getContext(), input.type))
    return error(input) << "elements of " << typeName(input.type)
                        << " are not supported";
  SmallVector<int64_t> shape;
  if (!input.hasShape) {
    auto given = options.shapes.find(input.name);
    if (given == options.shapes.end())
      return error(input) << "the file gives no shape; pass --shape "
                          << input.name << "=1x3x32x32, for example";
    shape = given->second;
    if (options.batch)
      shape.front() = *options.batch;
  }
  for (size_t i = 0; i < input.dims.size(); ++i) {
    FailureOr<int64_t> extent = resolveDim(input, i);
    if (failed(extent))
      return failure();
    shape.push_back(*extent);
  }
  int64_t bytes = sizeof(int64_t);
  for (int64_t extent : shape) {
    if (extent < 1)
      return error(input) << "expected positive extents, but got "
                          << shapeText(shape);
    if (llvm::MulOverflow(bytes, extent, bytes))
      return error(input) << "shape " << shapeText(shape)
                          << " is too large for any memory";
  }
  return shape;
}

FailureOr<InputShapes> Binder::run(const Graph &graph) {
  if (failed(checkOptions(graph.inputs)))
    return failure();
  for (const ValueInfo &input : graph.inputs)
    if (failed(bindSymbols(input)))
      return failure();
  InputShapes result;
  bool hasBatch = false;
  for (const ValueInfo &input : graph.inputs) {
    FailureOr<SmallVector<int64_t>> shape = resolve(input);
    if (failed(shape))
      return failure();
    if (!shape->empty() && !std::exchange(hasBatch, true)) {
      result.batch = shape->front();
      if (input.hasShape && input.dims.front().isStatic)
        result.fileBatch = input.dims.front().value;
    }
    result.inputs.push_back({&input, *shape});
  }
  return result;
}
} // namespace

FailureOr<InputShapes> bindInputShapes(const Graph &graph,
                                       const ImportOptions &options,
                                       Location fileLoc) {
  return Binder(options, fileLoc).run(graph);
}

} // namespace onnx
} // namespace cim
