// Chooses the kernel table once, at first use.
#include "kernels/table.h"

#include "base/cpu_features.h"

namespace ranvier {

#ifdef RANVIER_HAVE_ISA_baseline
namespace baseline { extern const KernelTable kTable; }
#endif
#ifdef RANVIER_HAVE_ISA_avx2
namespace avx2 { extern const KernelTable kTable; }
#endif
#ifdef RANVIER_HAVE_ISA_avx512
namespace avx512 { extern const KernelTable kTable; }
#endif

const KernelTable* kernels_for(std::string_view isa) {
#ifdef RANVIER_HAVE_ISA_baseline
  if (isa == "baseline") return &baseline::kTable;
#endif
#ifdef RANVIER_HAVE_ISA_avx2
  if (isa == "avx2") return &avx2::kTable;
#endif
#ifdef RANVIER_HAVE_ISA_avx512
  if (isa == "avx512") return &avx512::kTable;
#endif
  return nullptr;
}

const KernelTable& kernels() {
  static const KernelTable& table = *kernels_for(chosen_isa());
  return table;
}

}  // namespace ranvier
