// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradient descent on the parameters of a program.
#include "Descent.h"

using namespace mlir;

namespace cim {

FailureOr<ArrayRef<float>>
ParametricNetwork::run(ArrayRef<int64_t> samples, ArrayRef<double> parameters,
                       MutableArrayRef<double> gradient) {
  SmallVector<const char *> from;
  for (auto [input, room] : llvm::zip_equal(inputs, gathered)) {
    room.resize(samples.size() * input.bytesPerSample);
    char *to = room.data();
    for (int64_t sample : samples)
      to = std::copy_n(input.data + sample * input.bytesPerSample,
                       input.bytesPerSample, to);
    from.push_back(room.data());
  }
  theta.resize(samples.size() * parameterCount);
  for (size_t i = 0; i < samples.size(); ++i)
    for (size_t p = 0; p < parameterCount; ++p)
      theta[i * parameterCount + p] = static_cast<float>(parameters[p]);
  from.push_back(reinterpret_cast<const char *>(theta.data()));
  losses.resize(samples.size());
  SmallVector<char *> to{reinterpret_cast<char *>(losses.data())};
  if (hasGradients) {
    gradients.resize(theta.size());
    to.push_back(reinterpret_cast<char *>(gradients.data()));
  }
  if (failed(runner.run(samples.size(), from, to)))
    return failure();
  // In the order of the samples: nothing depends on the number of threads.
  if (hasGradients)
    for (size_t i = 0; i < samples.size(); ++i)
      for (size_t p = 0; p < parameterCount; ++p)
        gradient[p] += gradients[i * parameterCount + p];
  return ArrayRef(losses);
}

} // namespace cim
