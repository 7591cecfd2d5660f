// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The manifest of a program, and the data that it points into.
#include "cim/Target/Manifest.h"

#include "cim/Dialect/CIM/IR/CIM.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/Statistics.h"
#include "cim/Version.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
namespace json = llvm::json;

namespace cim {
namespace {

class ManifestBuilder {
public:
  ManifestBuilder(ModuleOp program, const EmitOptions &options)
      : program(program), options(options) {}

  FailureOr<Manifest> build();

private:
  template <typename T>
  FailureOr<json::Object> addTable(Location loc, ElementsAttr values);
  template <typename T> json::Object addTable(ArrayRef<T> values);

  LogicalResult addTensors(func::FuncOp main, json::Object &root);
  FailureOr<json::Object> describeTensor(Location loc, Type type,
                                         StringRef name);
  LogicalResult addObserved(func::FuncOp main, json::Object &root);
  LogicalResult addArrays(json::Object &root);
  LogicalResult addLayers(json::Object &root);
  FailureOr<json::Object> describeLayer(LayerOp layer, int64_t id);

  ModuleOp program;
  const EmitOptions &options;
  llvm::StringMap<int64_t> arrayNumbers;
  std::vector<char> data;
};

} // namespace

//===----------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------===//

template <typename T>
json::Object ManifestBuilder::addTable(ArrayRef<T> values) {
  data.resize(llvm::alignTo(data.size(), 64));
  int64_t offset = data.size(), size = values.size() * sizeof(T);
  const char *bytes = reinterpret_cast<const char *>(values.data());
  data.insert(data.end(), bytes, bytes + size);
  return json::Object{{"offset", offset}, {"size", size}};
}

template <typename T>
FailureOr<json::Object> ManifestBuilder::addTable(Location loc,
                                                  ElementsAttr values) {
  FailureOr<std::vector<T>> elements = readElements<T>(loc, values);
  if (failed(elements))
    return failure();
  return addTable<T>(*elements);
}

//===----------------------------------------------------------------------===//
// Inputs, outputs, observed values
//===----------------------------------------------------------------------===//

/// "f32", "i8", .. as the runtime knows it; empty when it does not.
static StringRef typeName(Type type) {
  if (type.isF32())
    return "f32";
  if (auto quantized = dyn_cast<quant::QuantizedType>(type)) {
    if (quantized.getStorageTypeIntegralWidth() != 8)
      return "";
    return quantized.isSigned() ? "i8" : "u8";
  }
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return "";
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return "bool";
  case 8:
    return isUnsigned ? "u8" : "i8";
  case 16:
    return isUnsigned ? "u16" : "i16";
  case 32:
    return isUnsigned ? "u32" : "i32";
  case 64:
    return isUnsigned ? "u64" : "i64";
  }
  return "";
}

FailureOr<json::Object> ManifestBuilder::describeTensor(Location loc, Type type,
                                                        StringRef name) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  StringRef element = tensor ? typeName(tensor.getElementType()) : "";
  if (element.empty() || !tensor.hasStaticShape()) {
    emitError(loc) << "expected '" << name
                   << "' to be a tensor of static shape and of f32, bool or "
                      "integers of 8, 16, 32 or 64 bits, but got "
                   << type;
    return failure();
  }
  json::Object object{{"name", name.str()},
                      {"type", element},
                      {"shape", json::Array(tensor.getShape())}};
  if (auto quantized =
          dyn_cast<quant::UniformQuantizedType>(tensor.getElementType()))
    object["quantization"] =
        json::Object{{"scale", quantized.getScale()},
                     {"zero_point", quantized.getZeroPoint()},
                     {"lo", quantized.getStorageTypeMin()},
                     {"hi", quantized.getStorageTypeMax()}};
  return object;
}

static std::string nameOf(StringAttr attribute, StringRef kind,
                          unsigned number) {
  return attribute ? attribute.str() : (kind + Twine(number)).str();
}

LogicalResult ManifestBuilder::addTensors(func::FuncOp main,
                                          json::Object &root) {
  json::Array inputs, outputs;
  for (BlockArgument argument : main.getArguments()) {
    unsigned number = argument.getArgNumber();
    auto attribute = main.getArgAttrOfType<StringAttr>(number, "nn.name");
    auto object = describeTensor(argument.getLoc(), argument.getType(),
                                 nameOf(attribute, "input", number));
    if (failed(object))
      return failure();
    inputs.push_back(std::move(*object));
  }
  for (auto [number, type] : llvm::enumerate(main.getResultTypes())) {
    auto attribute = main.getResultAttrOfType<StringAttr>(number, "nn.name");
    auto object = describeTensor(main.getLoc(), type,
                                 nameOf(attribute, "output", number));
    if (failed(object))
      return failure();
    outputs.push_back(std::move(*object));
  }
  root["inputs"] = std::move(inputs);
  root["outputs"] = std::move(outputs);
  return success();
}

static std::string nodeName(Operation *op) {
  std::string name;
  op->getLoc()->walk([&](Location location) {
    if (auto named = dyn_cast<NameLoc>(location); named && name.empty())
      name = named.getName().str();
    return WalkResult::advance();
  });
  return name.empty() ? op->getName().getStringRef().str() : name;
}

LogicalResult ManifestBuilder::addObserved(func::FuncOp main,
                                           json::Object &root) {
  SmallVector<nn::ObserveOp> observed;
  main.walk([&](nn::ObserveOp op) { observed.push_back(op); });
  if (observed.empty())
    return success();
  llvm::sort(observed, [](nn::ObserveOp a, nn::ObserveOp b) {
    return a.getValue() < b.getValue();
  });
  json::Array list;
  for (auto [number, op] : llvm::enumerate(observed)) {
    if (op.getValue() != number)
      return op.emitOpError("expects values numbered 0, 1, .. once each, but "
                            "got ")
             << op.getValue() << " in place of " << number;
    auto type = cast<ShapedType>(op.getInput().getType());
    Operation *producer = op.getInput().getDefiningOp();
    list.push_back(
        json::Object{{"name", producer ? nodeName(producer) : "input"},
                     {"shape", json::Array(type.getShape())}});
  }
  root["observed"] = std::move(list);
  return success();
}

//===----------------------------------------------------------------------===//
// Arrays and layers
//===----------------------------------------------------------------------===//

LogicalResult ManifestBuilder::addArrays(json::Object &root) {
  json::Array arrays;
  for (auto array : program.getOps<ArrayOp>()) {
    auto type = cast<ShapedType>(cast<TypedAttr>(array.getImage()).getType());
    auto cells = addTable<int8_t>(array.getLoc(), array.getImage());
    if (failed(cells))
      return failure();
    arrayNumbers[array.getSymName()] = arrays.size();
    arrays.push_back(json::Object{{"name", array.getSymName()},
                                  {"rows", type.getDimSize(0)},
                                  {"columns", type.getDimSize(1)},
                                  {"cells", std::move(*cells)}});
  }
  root["arrays"] = std::move(arrays);
  return success();
}

static json::Value bound(const llvm::APFloat &value) {
  double number = value.convertToDouble();
  return std::isinf(number) ? json::Value(nullptr) : json::Value(number);
}

static StringRef roundingName(nn::Rounding rounding) {
  return rounding == nn::Rounding::Floor ? "floor" : "nearest-even";
}

FailureOr<json::Object> ManifestBuilder::describeLayer(LayerOp layer,
                                                       int64_t id) {
  json::Array blocks;
  std::vector<float> gains;
  for (auto block : layer.getBody().getOps<BlockOp>()) {
    auto array = block.getArray() ? arrayNumbers.find(*block.getArray())
                                  : arrayNumbers.end();
    if (array == arrayNumbers.end() || !block.getRow() || !block.getColumn() ||
        !block.getGain())
      return block.emitOpError("expects a gain and a place in a cim.array of "
                               "this module");
    blocks.push_back(json::Array{array->second, *block.getRow(),
                                 *block.getColumn(),
                                 static_cast<int64_t>(block.getPlane()),
                                 static_cast<int64_t>(block.getK()),
                                 static_cast<int64_t>(block.getKCount()),
                                 static_cast<int64_t>(block.getN()),
                                 static_cast<int64_t>(block.getNCount()),
                                 static_cast<int64_t>(layer.getRepeat())});
    gains.push_back(block.getGain()->convertToFloat());
  }
  auto significance = addTable<float>(layer.getLoc(), layer.getSignificance());
  auto scale = addTable<float>(layer.getLoc(), layer.getScale());
  auto bias = addTable<float>(layer.getLoc(), layer.getBias());
  if (failed(significance) || failed(scale) || failed(bias))
    return failure();
  auto planes =
      cast<ShapedType>(cast<TypedAttr>(layer.getSignificance()).getType());
  const Arch &arch = *options.arch;
  return json::Object{
      {"id", id},
      {"name", layer.getSymName()},
      {"in", json::Array(layer.getInput())},
      {"out", json::Array(layer.getOutput())},
      {"kernel", json::Array(layer.getKernel())},
      {"stride", json::Array(layer.getStrides())},
      {"dilation", json::Array(layer.getDilations())},
      {"pad", json::Array(layer.getPads())},
      {"groups", static_cast<int64_t>(layer.getGroups())},
      {"in_type", typeName(layer.getInputType())},
      {"planes", planes.getDimSize(0)},
      {"blocks", std::move(blocks)},
      {"gains", addTable<float>(gains)},
      {"significance", std::move(*significance)},
      {"scale", std::move(*scale)},
      {"bias", std::move(*bias)},
      {"adc", json::Object{{"lo", arch.adcLo()},
                           {"hi", arch.adcHi()},
                           {"rounding", stringify(arch.adcRounding())}}},
      {"lo", bound(layer.getLo())},
      {"hi", bound(layer.getHi())},
      {"out_type", typeName(layer.getOutputType())},
      {"out_rounding", roundingName(layer.getRounding())}};
}

LogicalResult ManifestBuilder::addLayers(json::Object &root) {
  json::Array layers;
  for (auto layer : program.getOps<LayerOp>()) {
    if (!options.arch || options.arch->isHost())
      return layer.emitOpError("needs a target with arrays, but the program is "
                               "compiled for the host");
    auto object = describeLayer(layer, layers.size());
    if (failed(object))
      return failure();
    layers.push_back(std::move(*object));
  }
  root["layers"] = std::move(layers);
  return success();
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

static json::Object describeTarget(const EmitOptions &options) {
  if (!options.arch)
    return json::Object{{"name", "host"}, {"device", json::Object{}}};
  llvm::Expected<json::Value> device = json::parse(options.arch->deviceJson());
  assert(device && "the target describes itself in JSON");
  return json::Object{{"name", options.arch->name().str()},
                      {"device", std::move(*device)}};
}

static json::Object describeStatistics(ModuleOp program,
                                       const std::optional<Arch> &arch) {
  MappingStatistics statistics = computeMappingStatistics(program);
  double utilisation =
      arch && !arch->isHost()
          ? statistics.utilisation(arch->arrayRows(), arch->arrayColumns())
          : 0.0;
  return json::Object{{"arrays", statistics.arrays},
                      {"cells_used", statistics.cellsUsed},
                      {"cell_utilisation", utilisation},
                      {"mvms_per_image", statistics.mvmsPerImage}};
}

FailureOr<Manifest> ManifestBuilder::build() {
  auto main = program.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal()) {
    program.emitError("expected a function @main with a body");
    return failure();
  }
  json::Object root{{"format", "cim-manifest"},
                    {"version", 1},
                    {"compiler", CIM_VERSION_STRING},
                    {"target", describeTarget(options)}};
  auto model = program->getAttrOfType<StringAttr>("nn.model");
  root["model"] = model ? model.str() : "model";
  if (failed(addTensors(main, root)))
    return failure();
  auto batch = program->getAttrOfType<IntegerAttr>("nn.batch");
  root["batch"] = batch ? batch.getInt() : 1;
  if (failed(addObserved(main, root)) || failed(addArrays(root)) ||
      failed(addLayers(root)))
    return failure();
  root["statistics"] = describeStatistics(program, options.arch);
  root["data_crc32"] = llvm::crc32(ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(data.data()), data.size()));
  Manifest manifest;
  llvm::raw_string_ostream(manifest.json) << json::Value(std::move(root));
  manifest.data = std::move(data);
  return manifest;
}

FailureOr<Manifest> buildManifest(ModuleOp program,
                                  const EmitOptions &options) {
  return ManifestBuilder(program, options).build();
}

} // namespace cim
