// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens compiled networks and answers questions about them (runtime.h).

#include "Model/Model.h"
#include "Model/ElfCheck.h"
#include "Support/Error.h"
#include "cim-c/runtime.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <memory>

using namespace cim::rt;

cim_model::~cim_model() {
  if (library)
    dlclose(library);
}

namespace {
/// Asks whether bytes lie in the mapped segments of one loaded object.
struct MappedRange {
  uintptr_t base;
  const void *begin;
  uint64_t size;
  bool found = false;
};
} // namespace

static int visitObject(dl_phdr_info *info, size_t, void *opaque) {
  auto *range = static_cast<MappedRange *>(opaque);
  if (info->dlpi_addr != range->base)
    return 0;
  auto begin = reinterpret_cast<uintptr_t>(range->begin);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && begin >= start &&
        begin - start <= segment.p_memsz &&
        range->size <= segment.p_memsz - (begin - start))
      range->found = true;
  }
  return 1;
}

/// A network's pointers must point into the network itself.
static bool isMapped(void *library, const void *begin, uint64_t size) {
  link_map *map = nullptr;
  if (!begin || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0)
    return false;
  MappedRange range = {map->l_addr, begin, size};
  dl_iterate_phdr(visitObject, &range);
  return range.found;
}

static cim_status checkImage(void *library, const cim_model_image *image) {
  if (!isMapped(library, image, sizeof *image) ||
      image->magic != CIM_MODEL_MAGIC)
    return fail(CIM_BAD_FILE, "symbol " CIM_MODEL_SYMBOL
                              " is not a network: wrong magic number");
  if (image->version != CIM_MODEL_VERSION ||
      image->size < sizeof(cim_model_image))
    return fail(CIM_WRONG_VERSION,
                "interface version %u (%u bytes), this runtime reads version "
                "%u (%zu bytes); compile the network again",
                image->version, image->size, CIM_MODEL_VERSION,
                sizeof(cim_model_image));
  if (!isMapped(library, image->manifest, image->manifest_size) ||
      (image->data_size && !isMapped(library, image->data, image->data_size)) ||
      (image->program_size &&
       !isMapped(library, image->program, image->program_size)) ||
      !isMapped(library, reinterpret_cast<const void *>(image->run), 1))
    return fail(CIM_BAD_FILE, "a pointer leaves the file");
  return CIM_OK;
}

static cim_status openImage(cim_model &model, const char *path) {
  // With a bare name dlopen would search the library path.
  char absolute[PATH_MAX];
  if (!realpath(path, absolute))
    return fail(CIM_BAD_FILE, "cannot open: %s", strerror(errno));
  model.library = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
  if (!model.library)
    return fail(CIM_BAD_FILE, "not a compiled network: %s", dlerror());
  model.image = static_cast<const cim_model_image *>(
      dlsym(model.library, CIM_MODEL_SYMBOL));
  if (!model.image)
    return fail(CIM_BAD_FILE, "not a compiled network: symbol " CIM_MODEL_SYMBOL
                              " is missing; was it written by cim-compile?");
  if (cim_status status = checkImage(model.library, model.image))
    return status;
  model.manifestText.assign(model.image->manifest, model.image->manifest_size);
  return parseManifest(model.image->manifest, model.image->manifest_size,
                       model.image->data, model.image->data_size,
                       model.manifest);
}

cim_status cim_model_open(const char *path, cim_model **model) {
  if (!path || !model)
    return fail(CIM_INVALID_ARGUMENT, "cim_model_open: an argument is null");
  *model = nullptr;
  return guarded([&]() -> cim_status {
    if (cim_status status = checkSharedObject(path, "compiled network"))
      return status;
    auto opened = std::make_unique<cim_model>();
    if (cim_status status = openImage(*opened, path))
      return fail(status, std::string(path) + ": " + lastError());
    *model = opened.release();
    return CIM_OK;
  });
}

void cim_model_close(cim_model *model) { delete model; }

const char *cim_last_error(void) { return lastError().c_str(); }

uint32_t cim_model_input_count(const cim_model *model) {
  return model ? model->manifest.inputs.size() : 0;
}

uint32_t cim_model_output_count(const cim_model *model) {
  return model ? model->manifest.outputs.size() : 0;
}

static cim_status describe(const std::vector<TensorSpec> &tensors,
                           uint32_t index, cim_tensor_info *info) {
  if (!info || info->size < sizeof info->size)
    return fail(CIM_INVALID_ARGUMENT, "tensor info is null or has no size");
  if (index >= tensors.size())
    return fail(CIM_INVALID_ARGUMENT, "tensor %u of %zu", index,
                tensors.size());
  const TensorSpec &tensor = tensors[index];
  cim_tensor_info full = {};
  full.size = info->size;
  full.name = tensor.name.c_str();
  full.type = tensor.type;
  full.rank = tensor.shape.size();
  std::copy(tensor.shape.begin(), tensor.shape.end(), full.shape);
  memcpy(info, &full, std::min<size_t>(info->size, sizeof full));
  return CIM_OK;
}

cim_status cim_model_input(const cim_model *model, uint32_t index,
                           cim_tensor_info *info) {
  if (!model)
    return fail(CIM_INVALID_ARGUMENT, "model is null");
  return describe(model->manifest.inputs, index, info);
}

cim_status cim_model_output(const cim_model *model, uint32_t index,
                            cim_tensor_info *info) {
  if (!model)
    return fail(CIM_INVALID_ARGUMENT, "model is null");
  return describe(model->manifest.outputs, index, info);
}

uint32_t cim_model_batch(const cim_model *model) {
  return model ? model->manifest.batch : 0;
}

uint32_t cim_model_layer_count(const cim_model *model) {
  return model ? uint32_t(model->manifest.layers.size()) : 0;
}

const char *cim_model_manifest(const cim_model *model) {
  return model ? model->manifestText.c_str() : "";
}

const void *cim_model_program(const cim_model *model, uint64_t *size) {
  if (size)
    *size = model ? model->image->program_size : 0;
  return model ? model->image->program : nullptr;
}
