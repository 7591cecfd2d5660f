// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See RandomLayer.h.

#include "RandomLayer.h"
#include "Session/DeviceLibrary.h"

#include <cstdlib>

using namespace cim::test;

Device::~Device() {
  if (device)
    rt::simulatorApi()->destroy(device);
}

std::string cim::test::prepareOn(Device &device, const TestLayer &test,
                                 const DeviceOptions &options) {
  const cim_device_api &api = *rt::simulatorApi();
  cim_device_config config = {sizeof config,          options.mode.c_str(),
                              options.target.c_str(), options.seed,
                              options.trial,          options.age};
  if (!options.isa.empty())
    setenv("CIM_ISA", options.isa.c_str(), 1);
  cim_status status = api.create(&config, &device.device);
  unsetenv("CIM_ISA");
  if (status != CIM_OK)
    return api.last_error();
  for (size_t i = 0; i < test.arrays.size(); ++i)
    if (api.program(device.device, i, test.arrays[i].rows,
                    test.arrays[i].columns, test.arrays[i].cells.data()))
      return api.last_error();
  if (api.prepare(device.device, &test.layer) != CIM_OK)
    return api.last_error();
  return "";
}

std::vector<uint8_t> cim::test::runOn(const TestLayer &test,
                                      const DeviceOptions &options,
                                      std::string &error) {
  Device device;
  std::vector<uint8_t> output(test.outputBytes());
  error = prepareOn(device, test, options);
  if (!error.empty())
    return output;
  cim_stream stream = {sizeof stream, test.layer.id,     0,
                       test.images,   test.input.data(), output.data()};
  if (rt::simulatorApi()->stream(device.device, &stream) != CIM_OK)
    error = rt::simulatorApi()->last_error();
  return output;
}
