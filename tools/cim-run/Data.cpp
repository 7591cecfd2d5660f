// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Data.h.

#include "Data.h"

#include <algorithm>

using namespace cim;
using namespace cim::run;

int64_t Tensor::sampleElements() const {
  int64_t count = 1;
  for (int64_t dim : sample)
    count *= dim;
  return count;
}

uint64_t Tensor::sampleBytes() const {
  return uint64_t(sampleElements()) * npy::byteSize(npyType(type));
}

npy::Type cim::run::npyType(cim_type type) {
  switch (type) {
  case CIM_F32:
    return npy::Type::F32;
  case CIM_BOOL:
    return npy::Type::Bool;
  case CIM_I8:
    return npy::Type::I8;
  case CIM_U8:
    return npy::Type::U8;
  case CIM_I16:
    return npy::Type::I16;
  case CIM_U16:
    return npy::Type::U16;
  case CIM_I32:
    return npy::Type::I32;
  case CIM_U32:
    return npy::Type::U32;
  case CIM_I64:
    return npy::Type::I64;
  case CIM_U64:
    return npy::Type::U64;
  }
  return npy::Type::F32;
}

using Describe = cim_status (*)(const cim_model *, uint32_t, cim_tensor_info *);

static std::vector<Tensor> tensorsOf(const cim_model *model, uint32_t count,
                                     Describe describe) {
  std::vector<Tensor> tensors;
  for (uint32_t i = 0; i < count; ++i) {
    cim_tensor_info info = {};
    info.size = sizeof info;
    describe(model, i, &info);
    tensors.push_back(
        {info.name, info.type, {info.shape + 1, info.shape + info.rank}});
  }
  return tensors;
}

std::vector<Tensor> cim::run::inputsOf(const cim_model *model) {
  return tensorsOf(model, cim_model_input_count(model), cim_model_input);
}

std::vector<Tensor> cim::run::outputsOf(const cim_model *model) {
  return tensorsOf(model, cim_model_output_count(model), cim_model_output);
}

static std::string namesOf(const std::vector<Tensor> &tensors) {
  std::string text;
  for (const Tensor &tensor : tensors)
    text += (text.empty() ? "" : ", ") + tensor.name;
  return text;
}

NamedFile cim::run::resolve(const std::vector<Tensor> &tensors,
                            const NamedFile &file) {
  if (!file.mayBePath())
    return file;
  for (const Tensor &tensor : tensors)
    if (tensor.name == file.name)
      return file;
  return {"", file.wholePath()};
}

std::optional<size_t> cim::run::findTensor(const std::vector<Tensor> &tensors,
                                           const NamedFile &file,
                                           const char *kind,
                                           std::string &error) {
  bool input = std::string(kind) == "input";
  if (file.name.empty()) {
    if (!input || tensors.size() == 1)
      return 0;
    error = file.path + ": which input? expected NAME=" + file.path +
            ", the network has " + namesOf(tensors);
    return std::nullopt;
  }
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == file.name)
      return i;
  error = std::string("the network has no ") + kind + " '" + file.name +
          "'; it has " + namesOf(tensors);
  return std::nullopt;
}

/// Brings `array` to the network's type, when that keeps every value.
static bool convertType(npy::Array &array, npy::Type wanted) {
  if (array.type == wanted)
    return true;
  // Not float64 to float32: that would lose digits without a word.
  if (wanted != npy::Type::I64 || array.type != npy::Type::I32)
    return false;
  int64_t count = array.elementCount();
  std::vector<uint8_t> wide(count * sizeof(int64_t));
  for (int64_t i = 0; i < count; ++i)
    reinterpret_cast<int64_t *>(wide.data())[i] = array.data<int32_t>()[i];
  array.bytes = std::move(wide);
  array.type = wanted;
  return true;
}

static std::optional<npy::Array> loadInput(const Tensor &tensor,
                                           const std::string &path, bool finite,
                                           std::string &error) {
  std::optional<npy::Array> array = npy::read(path, error);
  if (!array)
    return std::nullopt;
  std::string where = path + ": input '" + tensor.name + "' ";
  std::vector<int64_t> sample(array->shape.begin() + !array->shape.empty(),
                              array->shape.end());
  if (array->shape.empty() || sample != tensor.sample) {
    std::string expected = "(samples";
    for (int64_t dim : tensor.sample)
      expected += ", " + std::to_string(dim);
    error = where + "has shape " + npy::shapeText(array->shape) +
            ", expected " + expected + ")";
    return std::nullopt;
  }
  if (array->shape[0] == 0) {
    error = where + "has no samples";
    return std::nullopt;
  }
  std::optional<std::string> index;
  if (finite && (index = array->findNonFinite())) {
    error = where + "is not finite at " + *index;
    return std::nullopt;
  }
  npy::Type found = array->type;
  if (!convertType(*array, npyType(tensor.type))) {
    error = where + "has element type " + npy::typeName(found) + ", expected " +
            npy::typeName(npyType(tensor.type));
    return std::nullopt;
  }
  return array;
}

std::optional<std::vector<npy::Array>>
cim::run::loadInputs(const std::vector<Tensor> &tensors,
                     const std::vector<NamedFile> &files, bool finite,
                     std::string &error) {
  std::vector<std::string> paths(tensors.size());
  for (const NamedFile &given : files) {
    NamedFile file = resolve(tensors, given);
    std::optional<size_t> index = findTensor(tensors, file, "input", error);
    if (!index)
      return std::nullopt;
    if (!paths[*index].empty()) {
      error = "input '" + tensors[*index].name + "' is given twice";
      return std::nullopt;
    }
    paths[*index] = file.path;
  }
  std::vector<npy::Array> arrays;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (paths[i].empty()) {
      error = "input '" + tensors[i].name + "' is not given; add --input " +
              tensors[i].name + "=FILE.npy";
      return std::nullopt;
    }
    std::optional<npy::Array> array =
        loadInput(tensors[i], paths[i], finite, error);
    if (!array)
      return std::nullopt;
    arrays.push_back(std::move(*array));
    if (arrays.back().shape[0] == arrays[0].shape[0])
      continue;
    error = paths[i] + ": " + std::to_string(arrays.back().shape[0]) +
            " samples, but " + paths[0] + " has " +
            std::to_string(arrays[0].shape[0]);
    return std::nullopt;
  }
  return arrays;
}

template <typename T>
static int64_t countHits(const T *values, int64_t classes,
                         const std::vector<int64_t> &labels) {
  int64_t hits = 0;
  for (int64_t label : labels) {
    int64_t best = 0;
    for (int64_t c = 1; c < classes; ++c)
      if (values[c] > values[best])
        best = c;
    hits += best == label;
    values += classes;
  }
  return hits;
}

double cim::run::top1(const Tensor &tensor, const void *values,
                      const std::vector<int64_t> &labels) {
  int64_t hits = npy::withType(npyType(tensor.type), [&](auto zero) {
    return countHits(static_cast<const decltype(zero) *>(values),
                     tensor.sampleElements(), labels);
  });
  return 100.0 * double(hits) / double(labels.size());
}
