// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A compiled network that has been opened.
#ifndef CIM_RUNTIME_MODEL_MODEL_H
#define CIM_RUNTIME_MODEL_MODEL_H

#include "Model/Manifest.h"
#include "cim-c/model.h"

#include <string>

struct cim_model {
  void *library = nullptr; // from dlopen
  const cim_model_image *image = nullptr;
  std::string manifestText;
  cim::rt::Manifest manifest;

  cim_model() = default;
  cim_model(const cim_model &) = delete;
  cim_model &operator=(const cim_model &) = delete;
  ~cim_model();
};

#endif // CIM_RUNTIME_MODEL_MODEL_H
