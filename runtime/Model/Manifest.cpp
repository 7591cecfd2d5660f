// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the manifest. The only file of the loader that sees the JSON library,
// whose exceptions, like this file's own, end in parseManifest.

#include "Model/Manifest.h"
#include "Support/Error.h"
#include "Support/LayerCheck.h"
#include "cim-c/model.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <zlib.h>

using namespace cim::rt;
using Json = nlohmann::json;

namespace {
/// The data blob: hands out pointers after checking that they are inside.
struct Data {
  const uint8_t *bytes;
  uint64_t size;

  template <typename T>
  const T *table(const Json &range, uint64_t count, const std::string &where);
};
} // namespace

[[noreturn]] static void bad(const std::string &text) {
  throw std::runtime_error(text);
}

static const Json &member(const Json &object, const char *key,
                          const std::string &where) {
  if (!object.is_object())
    bad(where + " is not an object");
  auto it = object.find(key);
  if (it == object.end())
    bad(where + " has no '" + key + "'");
  return *it;
}

static const Json &list(const Json &object, const char *key,
                        const std::string &where) {
  const Json &value = member(object, key, where);
  if (!value.is_array())
    bad(where + "." + key + " is not a list");
  return value;
}

static uint64_t asUnsigned(const Json &value, const std::string &where,
                           uint64_t most) {
  if (!value.is_number_integer() ||
      (!value.is_number_unsigned() && value.get<int64_t>() < 0) ||
      value.get<uint64_t>() > most)
    bad(format("%s is %s, expected an integer 0 .. %llu", where.c_str(),
               value.dump().c_str(), (unsigned long long)most));
  return value.get<uint64_t>();
}

static uint32_t asU32(const Json &value, const std::string &where) {
  return asUnsigned(value, where, std::numeric_limits<uint32_t>::max());
}

static uint32_t u32(const Json &object, const char *key,
                    const std::string &where) {
  return asU32(member(object, key, where), where + "." + key);
}

static std::string text(const Json &object, const char *key,
                        const std::string &where) {
  const Json &value = member(object, key, where);
  if (!value.is_string())
    bad(where + "." + key + " is not a string");
  return value.get<std::string>();
}

template <typename T>
const T *Data::table(const Json &range, uint64_t count,
                     const std::string &where) {
  uint64_t offset =
      asUnsigned(member(range, "offset", where), where + ".offset", size);
  uint64_t bytesHere =
      asUnsigned(member(range, "size", where), where + ".size", size);
  if (count > size / sizeof(T) || bytesHere != count * sizeof(T))
    bad(format("%s has %llu bytes, expected %llu", where.c_str(),
               (unsigned long long)bytesHere,
               (unsigned long long)(count * sizeof(T))));
  if (bytesHere > size - offset)
    bad(format("%s ends at byte %llu of %llu bytes of data", where.c_str(),
               (unsigned long long)(offset + bytesHere),
               (unsigned long long)size));
  if (reinterpret_cast<uintptr_t>(bytes + offset) % alignof(T))
    bad(where + " is not aligned");
  return reinterpret_cast<const T *>(bytes + offset);
}

static cim_type parseType(const std::string &name, const std::string &where) {
  std::string expected;
  for (int type = 0; type < typeCount; ++type) {
    const char *known = typeName(cim_type(type));
    if (name == known)
      return cim_type(type);
    expected += (type ? ", " : "") + std::string(known);
  }
  bad(where + " is '" + name + "', expected one of " + expected);
}

static cim_rounding parseRounding(const std::string &name,
                                  const std::string &where,
                                  bool converter = false) {
  if (name == "nearest-even")
    return CIM_NEAREST_EVEN;
  if (name == "floor")
    return CIM_FLOOR;
  if (name == "mid-rise" && converter)
    return CIM_MID_RISE;
  bad(where + " is '" + name + "', expected nearest-even" +
      (converter ? ", floor or mid-rise" : " or floor"));
}

static std::vector<int64_t> parseShape(const Json &object,
                                       const std::string &where) {
  std::vector<int64_t> shape;
  uint64_t elements = 1;
  for (const Json &dim : list(object, "shape", where)) {
    shape.push_back(asUnsigned(dim, where + ".shape", CIM_MODEL_MAX_ELEMENTS));
    if (shape.back() == 0 || elements > CIM_MODEL_MAX_ELEMENTS / shape.back())
      bad(where + ".shape has no or too many elements");
    elements *= shape.back();
  }
  if (shape.empty() || shape.size() > CIM_MODEL_MAX_RANK)
    bad(format("%s.shape has %zu dimensions, expected 1 .. %u", where.c_str(),
               shape.size(), CIM_MODEL_MAX_RANK));
  return shape;
}

static TensorSpec parseTensor(const Json &object, const std::string &where,
                              uint32_t batch) {
  TensorSpec tensor;
  tensor.name = text(object, "name", where);
  tensor.type = parseType(text(object, "type", where), where + ".type");
  tensor.shape = parseShape(object, where);
  if (tensor.shape[0] != batch)
    bad(format("%s.shape begins with %lld, expected the batch, %u",
               where.c_str(), (long long)tensor.shape[0], batch));
  return tensor;
}

template <size_t Count>
static void parseList(const Json &object, const char *key,
                      const std::string &where, uint32_t *const (&to)[Count]) {
  const Json &values = list(object, key, where);
  if (values.size() != Count)
    bad(format("%s.%s has %zu numbers, expected %zu", where.c_str(), key,
               values.size(), Count));
  for (size_t i = 0; i < Count; ++i)
    *to[i] = asU32(values[i], where + "." + key);
}

static float parseBound(const Json &object, const char *key,
                        const std::string &where, float none) {
  const Json &value = member(object, key, where);
  if (value.is_null())
    return none;
  if (!value.is_number())
    bad(where + "." + key + " is not a number or null");
  return value.get<float>();
}

static int32_t parseCode(const Json &object, const char *key,
                         const std::string &where) {
  const Json &value = member(object, key, where);
  if (!value.is_number_integer() || value.get<int64_t>() < INT32_MIN ||
      value.get<int64_t>() > INT32_MAX)
    bad(where + "." + key + " is not an integer");
  return int32_t(value.get<int64_t>());
}

static void parseBlocks(const Json &object, const std::string &where,
                        Data &data, std::vector<cim_block> &blocks) {
  const Json &rows = list(object, "blocks", where);
  const float *gains = data.table<float>(member(object, "gains", where),
                                         rows.size(), where + ".gains");
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string here = format("%s.blocks[%zu]", where.c_str(), i);
    if (!rows[i].is_array() || rows[i].size() != 9)
      bad(here + " is not a list of 9 numbers");
    cim_block b = {};
    uint32_t *const fields[] = {&b.array,   &b.row, &b.column,  &b.plane, &b.k,
                                &b.k_count, &b.n,   &b.n_count, &b.repeat};
    for (size_t f = 0; f < 9; ++f)
      *fields[f] = asU32(rows[i][f], here);
    b.gain = gains[i];
    blocks.push_back(b);
  }
}

static void parseLayer(const Json &object, size_t index, Data &data,
                       const std::vector<ArrayShape> &arrays, LayerSpec &spec) {
  std::string where = format("layers[%zu]", index);
  spec.name = text(object, "name", where);
  where += " (" + spec.name + ")";

  cim_layer &l = spec.layer;
  l.size = sizeof(cim_layer);
  l.id = u32(object, "id", where);
  if (l.id != index)
    bad(format("%s.id is %u, expected %zu", where.c_str(), l.id, index));
  l.name = spec.name.c_str();
  parseList(object, "in", where, {&l.in_h, &l.in_w, &l.in_c});
  parseList(object, "out", where, {&l.out_h, &l.out_w, &l.out_c});
  parseList(object, "kernel", where, {&l.kernel_h, &l.kernel_w});
  parseList(object, "stride", where, {&l.stride_h, &l.stride_w});
  parseList(object, "dilation", where, {&l.dilation_h, &l.dilation_w});
  parseList(object, "pad", where, {&l.pad_top, &l.pad_left});
  l.groups = u32(object, "groups", where);
  l.in_type = parseType(text(object, "in_type", where), where + ".in_type");
  l.plane_count = u32(object, "planes", where);
  parseBlocks(object, where, data, spec.blocks);
  l.blocks = spec.blocks.data();
  l.block_count = spec.blocks.size();
  l.significance = data.table<float>(member(object, "significance", where),
                                     uint64_t(l.plane_count) * l.out_c,
                                     where + ".significance");
  l.scale = data.table<float>(member(object, "scale", where), l.out_c,
                              where + ".scale");
  l.bias = data.table<float>(member(object, "bias", where), l.out_c,
                             where + ".bias");

  const Json &adc = member(object, "adc", where);
  l.adc_lo = parseCode(adc, "lo", where + ".adc");
  l.adc_hi = parseCode(adc, "hi", where + ".adc");
  l.adc_rounding = parseRounding(text(adc, "rounding", where + ".adc"),
                                 where + ".adc", /*converter=*/true);
  l.out_type = parseType(text(object, "out_type", where), where + ".out_type");
  l.out_rounding = parseRounding(text(object, "out_rounding", where),
                                 where + ".out_rounding");
  l.lo = parseBound(object, "lo", where, -INFINITY);
  l.hi = parseBound(object, "hi", where, INFINITY);
  if (std::string problem = checkLayer(l, arrays); !problem.empty())
    bad(where + ": " + problem);
}

static void parseTensors(const Json &root, Manifest &manifest) {
  manifest.batch = u32(root, "batch", "manifest");
  if (manifest.batch == 0 || manifest.batch > CIM_MODEL_MAX_BATCH)
    bad(format("batch is %u, expected 1 .. %u", manifest.batch,
               CIM_MODEL_MAX_BATCH));
  for (const Json &tensor : list(root, "inputs", "manifest"))
    manifest.inputs.push_back(parseTensor(
        tensor, format("inputs[%zu]", manifest.inputs.size()), manifest.batch));
  for (const Json &tensor : list(root, "outputs", "manifest"))
    manifest.outputs.push_back(
        parseTensor(tensor, format("outputs[%zu]", manifest.outputs.size()),
                    manifest.batch));
  if (manifest.inputs.empty() || manifest.outputs.empty())
    bad("the network has no inputs or no outputs");
  if (!root.contains("observed"))
    return;
  for (const Json &tensor : list(root, "observed", "manifest")) {
    std::string where = format("observed[%zu]", manifest.observed.size());
    TensorSpec spec;
    spec.name = text(tensor, "name", where);
    spec.shape = parseShape(tensor, where);
    manifest.observed.push_back(spec);
  }
}

static void parseArrays(const Json &root, Data &data, Manifest &manifest,
                        std::vector<ArrayShape> &shapes) {
  for (const Json &array : list(root, "arrays", "manifest")) {
    std::string where = format("arrays[%zu]", shapes.size());
    ArraySpec spec;
    spec.rows = u32(array, "rows", where);
    spec.columns = u32(array, "columns", where);
    if (!spec.rows || !spec.columns)
      bad(where + " is empty");
    spec.cells = data.table<int8_t>(member(array, "cells", where),
                                    uint64_t(spec.rows) * spec.columns,
                                    where + ".cells");
    manifest.arrays.push_back(spec);
    shapes.push_back({spec.rows, spec.columns});
  }
}

static void parse(const Json &root, Data data, Manifest &manifest) {
  if (text(root, "format", "manifest") != "cim-manifest")
    bad("format is not 'cim-manifest'");
  if (uint32_t version = u32(root, "version", "manifest"); version != 1)
    bad(format("manifest version is %u, this runtime reads 1", version));
  uint32_t expected = u32(root, "data_crc32", "manifest");
  uint32_t actual = crc32_z(0, data.bytes, data.size);
  if (actual != expected)
    bad(format("data is damaged: checksum %08x, expected %08x", actual,
               expected));
  manifest.model = text(root, "model", "manifest");
  parseTensors(root, manifest);

  const Json &target = member(root, "target", "manifest");
  manifest.targetName = text(target, "name", "target");
  if (target.contains("device"))
    manifest.device = target["device"].dump();

  std::vector<ArrayShape> shapes;
  parseArrays(root, data, manifest, shapes);
  for (const Json &layer : list(root, "layers", "manifest")) {
    manifest.layers.emplace_back();
    parseLayer(layer, manifest.layers.size() - 1, data, shapes,
               manifest.layers.back());
  }
}

uint64_t TensorSpec::sampleBytes() const {
  uint64_t bytes = byteSize(type);
  for (size_t i = 1; i < shape.size(); ++i)
    bytes *= shape[i];
  return bytes;
}

cim_status cim::rt::parseManifest(const char *text, uint64_t size,
                                  const uint8_t *data, uint64_t dataSize,
                                  Manifest &manifest) {
  try {
    parse(Json::parse(text, text + size), {data, dataSize}, manifest);
    return CIM_OK;
  } catch (const std::bad_alloc &) {
    return fail(CIM_OUT_OF_RESOURCES, "out of memory");
  } catch (const std::exception &e) {
    return fail(CIM_BAD_FILE, "bad manifest: %s", e.what());
  }
}
