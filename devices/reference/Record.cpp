// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Record.h.

#include "Record.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace cim::reference;
using Json = nlohmann::json;

Recorder::Recorder() {
  if (const char *value = getenv("CIM_REFERENCE_RECORD"))
    folder = value;
}

bool Recorder::write(const std::string &name, const std::string &bytes) const {
  std::ofstream file(folder + "/" + name, std::ios::binary);
  file.write(bytes.data(), std::streamsize(bytes.size()));
  return bool(file.flush());
}

static const char *dtypeOf(cim_type type) {
  return type == CIM_F32 ? "<f4" : type == CIM_I8 ? "|i1" : "|u1";
}

/// NumPy's file format, version 1: magic, header padded to 64 bytes, data.
bool Recorder::npy(const std::string &name, cim_type type,
                   std::vector<uint64_t> shape, const void *data) const {
  uint64_t size = type == CIM_F32 ? sizeof(float) : 1;
  std::string dims;
  for (uint64_t dim : shape) {
    dims += std::to_string(dim) + ",";
    size *= dim;
  }
  std::string header = std::string("{'descr': '") + dtypeOf(type) +
                       "', 'fortran_order': False, 'shape': (" + dims + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY\x01";
  bytes += {0, char(header.size() & 255), char(header.size() >> 8)};
  bytes += header;
  bytes.append(static_cast<const char *>(data), size);
  return write(name, bytes);
}

bool Recorder::array(uint32_t index, const Array &array) const {
  return folder.empty() || npy("array" + std::to_string(index) + ".npy", CIM_I8,
                               {array.rows, array.columns}, array.cells.data());
}

/// All digits of a float, infinities too.
static std::string hex(float value) {
  char text[48];
  snprintf(text, sizeof text, "%a", value);
  return text;
}

static Json describe(const cim_layer &l) {
  Json blocks = Json::array();
  for (uint32_t i = 0; i < l.block_count; ++i) {
    const cim_block &b = l.blocks[i];
    blocks.push_back({{"array", b.array},
                      {"row", b.row},
                      {"column", b.column},
                      {"plane", b.plane},
                      {"k", b.k},
                      {"k_count", b.k_count},
                      {"n", b.n},
                      {"n_count", b.n_count},
                      {"repeat", b.repeat},
                      {"gain", hex(b.gain)}});
  }
  return {{"id", l.id},
          {"name", l.name ? l.name : ""},
          {"in_shape", {l.in_h, l.in_w, l.in_c}},
          {"out_shape", {l.out_h, l.out_w, l.out_c}},
          {"kernel", {l.kernel_h, l.kernel_w}},
          {"strides", {l.stride_h, l.stride_w}},
          {"dilations", {l.dilation_h, l.dilation_w}},
          {"pads", {l.pad_top, l.pad_left}},
          {"groups", l.groups},
          {"in_type", dtypeOf(l.in_type)},
          {"out_type", dtypeOf(l.out_type)},
          {"adc_lo", l.adc_lo},
          {"adc_hi", l.adc_hi},
          {"adc_rounding", int(l.adc_rounding)},
          {"lo", hex(l.lo)},
          {"hi", hex(l.hi)},
          {"out_rounding", int(l.out_rounding)},
          {"plane_count", l.plane_count},
          {"blocks", blocks}};
}

bool Recorder::layer(const cim_layer &l) const {
  if (folder.empty())
    return true;
  std::string name = "layer" + std::to_string(l.id);
  return write(name + ".json", describe(l).dump()) &&
         npy(name + ".significance.npy", CIM_F32, {l.plane_count, l.out_c},
             l.significance) &&
         npy(name + ".scale.npy", CIM_F32, {l.out_c}, l.scale) &&
         npy(name + ".bias.npy", CIM_F32, {l.out_c}, l.bias);
}

bool Recorder::stream(const cim_layer &l, const cim_stream &s) const {
  if (folder.empty())
    return true;
  std::string name =
      "layer" + std::to_string(l.id) + ".image" + std::to_string(s.first_image);
  return npy(name + ".in.npy", l.in_type,
             {s.image_count, l.in_h, l.in_w, l.in_c}, s.input) &&
         npy(name + ".out.npy", l.out_type,
             {s.image_count, l.out_h, l.out_w, l.out_c}, s.output);
}
