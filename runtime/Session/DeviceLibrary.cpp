// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See DeviceLibrary.h.

#include "Session/DeviceLibrary.h"
#include "Model/ElfCheck.h"
#include "Session/DeviceName.h"
#include "Support/Error.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

using namespace cim::rt;

DeviceLibrary::~DeviceLibrary() {
  if (library)
    dlclose(library);
}

cim_status DeviceLibrary::use(const cim_device_api *given) {
  if (given->version != CIM_DEVICE_VERSION ||
      given->size < CIM_DEVICE_API_SIZE_1)
    return fail(CIM_WRONG_VERSION,
                "the device offers interface version %u (%u bytes), this "
                "runtime needs version %u (%zu bytes)",
                given->version, given->size, CIM_DEVICE_VERSION,
                size_t(CIM_DEVICE_API_SIZE_1));
  if (!given->create || !given->destroy || !given->query || !given->program ||
      !given->prepare || !given->stream || !given->wait || !given->last_error)
    return fail(CIM_INVALID_ARGUMENT, "the device's table has a null function");
  table = given;
  return CIM_OK;
}

cim_status DeviceLibrary::open(const char *name) {
  if (isSimulatorMode(name))
    return use(simulatorApi());
  if (!isDriverPath(name))
    return fail(CIM_INVALID_ARGUMENT,
                "unknown device '%s', expected ideal, exact, analog or a "
                "driver FILE.so",
                name);
  if (cim_status status = checkSharedObject(name, "device driver"))
    return status;
  char absolute[PATH_MAX];
  if (!realpath(name, absolute))
    return fail(CIM_BAD_FILE, "%s: cannot open: %s", name, strerror(errno));
  library = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail(CIM_BAD_FILE, "%s: not a device driver: %s", name, dlerror());
  auto getApi = reinterpret_cast<cim_device_get_api_fn>(
      dlsym(library, CIM_DEVICE_GET_API));
  if (!getApi)
    return fail(CIM_BAD_FILE,
                "%s: not a device driver: symbol " CIM_DEVICE_GET_API
                " is missing",
                name);
  const cim_device_api *given = getApi(CIM_DEVICE_VERSION);
  if (!given)
    return fail(CIM_WRONG_VERSION,
                "%s: the driver does not serve interface version %u", name,
                CIM_DEVICE_VERSION);
  return use(given);
}
