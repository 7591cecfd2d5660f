// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sample inputs from NumPy files.
#include "SampleData.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace cim {

namespace {

/// One argument of the network.
struct Input {
  std::string name;
  npy::Type type;
  std::vector<int64_t> sampleShape;
};

class Loader {
public:
  Loader(ModuleOp module, StringRef path, int64_t limit)
      : module(module), path(path), limit(limit) {}

  FailureOr<SampleData> run() {
    if (failed(describeInputs()))
      return failure();
    FailureOr<npy::Archive> archive = readFile();
    if (failed(archive))
      return failure();
    SampleData data;
    for (const Input &input : inputs) {
      npy::Array *array = find(*archive, input);
      if (!array)
        return error() << "has no array '" << input.name
                       << "' for this input of the network";
      if (failed(check(input, *array)))
        return failure();
      int64_t count = array->shape.front();
      if (!data.inputs.empty() && count != data.count)
        return error() << "expected as many samples of '" << input.name
                       << "' as of '" << inputs.front().name << "' ("
                       << data.count << "), but got " << count;
      data.count = count;
      data.inputs.push_back(std::move(*array));
    }
    if (limit > 0)
      data.count = std::min(data.count, limit);
    if (data.count < 2)
      return error() << "expected at least 2 samples, but got " << data.count;
    return data;
  }

private:
  InFlightDiagnostic error() {
    return module.emitError("calibration data '") << path << "': ";
  }

  /// `problem` names the file.
  LogicalResult unreadable(StringRef problem) {
    return module.emitError("calibration data ") << problem;
  }

  LogicalResult describeInputs() {
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || main.getNumArguments() == 0)
      return error() << "the network has no function '@main' with inputs";
    for (auto [i, type] : llvm::enumerate(main.getArgumentTypes())) {
      auto shaped = dyn_cast<RankedTensorType>(type);
      std::optional<npy::Type> element =
          shaped ? getType(shaped.getElementType()) : std::nullopt;
      if (!element || shaped.getRank() == 0)
        return error() << "input " << i << " of the network, " << type
                       << ", cannot be read from a NumPy file";
      auto name = main.getArgAttrOfType<StringAttr>(i, "nn.name");
      inputs.push_back({name ? name.str() : "input" + std::to_string(i),
                        *element, shaped.getShape().drop_front().vec()});
    }
    return success();
  }

  static std::optional<npy::Type> getType(Type type) {
    if (type.isF32())
      return npy::Type::F32;
    auto integer = dyn_cast<IntegerType>(type);
    if (!integer)
      return std::nullopt;
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 1:
      return npy::Type::Bool;
    case 8:
      return isUnsigned ? npy::Type::U8 : npy::Type::I8;
    case 16:
      return isUnsigned ? npy::Type::U16 : npy::Type::I16;
    case 32:
      return isUnsigned ? npy::Type::U32 : npy::Type::I32;
    case 64:
      return isUnsigned ? npy::Type::U64 : npy::Type::I64;
    }
    return std::nullopt;
  }

  FailureOr<npy::Archive> readFile() {
    std::string problem;
    if (path.ends_with(".npz")) {
      std::optional<npy::Archive> archive =
          npy::readArchive(path.str(), problem);
      if (!archive)
        return unreadable(problem);
      return std::move(*archive);
    }
    if (!path.ends_with(".npy"))
      return error() << "expected a .npy or .npz file";
    std::optional<npy::Array> array = npy::read(path.str(), problem);
    if (!array)
      return unreadable(problem);
    if (inputs.size() != 1)
      return error() << "the network has " << inputs.size()
                     << " inputs; expected a .npz file with an array for each";
    npy::Archive archive;
    archive.emplace_back(inputs.front().name, std::move(*array));
    return archive;
  }

  npy::Array *find(npy::Archive &archive, const Input &input) {
    for (auto &[name, array] : archive)
      if (name == input.name)
        return &array;
    // Nothing to confuse: the name may be NumPy's "arr_0".
    if (archive.size() == 1 && inputs.size() == 1)
      return &archive.front().second;
    return nullptr;
  }

  LogicalResult check(const Input &input, const npy::Array &array) {
    if (array.type != input.type)
      return error() << "expected " << npy::typeName(input.type)
                     << " for input '" << input.name << "', but got "
                     << npy::typeName(array.type);
    if (array.shape.empty() || ArrayRef<int64_t>(array.shape).drop_front() !=
                                   ArrayRef<int64_t>(input.sampleShape)) {
      std::string expected = "(samples";
      for (int64_t extent : input.sampleShape)
        expected += ", " + std::to_string(extent);
      return error() << "expected shape " << expected << ") for input '"
                     << input.name << "', but got "
                     << npy::shapeText(array.shape);
    }
    if (std::optional<std::string> index = array.findNonFinite())
      return error() << "the value at " << *index << " of input '" << input.name
                     << "' is not finite";
    return success();
  }

  ModuleOp module;
  StringRef path;
  int64_t limit;
  std::vector<Input> inputs;
};

} // namespace

FailureOr<SampleData> loadSamples(ModuleOp module, StringRef path,
                                  int64_t limit) {
  return Loader(module, path, limit).run();
}

} // namespace cim
