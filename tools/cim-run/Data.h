// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What goes into a network and what comes out, as NumPy files.
#ifndef CIM_TOOLS_RUN_DATA_H
#define CIM_TOOLS_RUN_DATA_H

#include "Npy/Npy.h"
#include "Options.h"
#include "cim-c/runtime.h"

namespace cim::run {

/// A network input or output.
struct Tensor {
  std::string name;
  cim_type type = CIM_F32;
  std::vector<int64_t> sample; // shape without the batch

  int64_t sampleElements() const;
  uint64_t sampleBytes() const;
};

std::vector<Tensor> inputsOf(const cim_model *model);
std::vector<Tensor> outputsOf(const cim_model *model);

/// Element type of a NumPy file that holds a tensor of this type.
npy::Type npyType(cim_type type);

/// `file` as it is meant: a name that no tensor has and that holds a '/' is the
/// beginning of a path with '='.
NamedFile resolve(const std::vector<Tensor> &tensors, const NamedFile &file);

/// Position of the tensor that `file` names. Without a name it is the first,
/// and the only one when `kind` is "input". Fails with text in `error`.
std::optional<size_t> findTensor(const std::vector<Tensor> &tensors,
                                 const NamedFile &file, const char *kind,
                                 std::string &error);

/// The samples of every input, in order of the network, in the types of the
/// network; all with the same number of samples, and without NaN and infinities
/// when they are to be finite.
std::optional<std::vector<npy::Array>>
loadInputs(const std::vector<Tensor> &tensors,
           const std::vector<NamedFile> &files, bool finite,
           std::string &error);

/// Percentage of samples whose largest output (the first one of equals) is at
/// the label.
double top1(const Tensor &tensor, const void *values,
            const std::vector<int64_t> &labels);

} // namespace cim::run

#endif // CIM_TOOLS_RUN_DATA_H
