# To be sourced by bash before mpirun or the tests: settings that Open MPI needs on this machine.
# Afterwards `cores` prints how many there are, and `allow_ranks N` prepares for N ranks, be they more than cores.

# Cores of this process; nproc alone would answer OMP_NUM_THREADS.
cores() { env -u OMP_NUM_THREADS nproc; }

# PETSc brings OpenMP along; every core already has its rank.
export OMP_NUM_THREADS=1

if [ "$(id -u)" -eq 0 ]; then  # Open MPI refuses root, who is the only user of most containers
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# A seccomp filter without CAP_SYS_PTRACE (bit 19) is how containers deny process_vm_readv, which
# Open MPI would use for large messages between ranks of one host.
if grep -qs '^Seccomp:[[:space:]]*2' /proc/self/status &&
   (( (0x$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status) >> 19 & 1) == 0 )); then
  export OMPI_MCA_btl_vader_single_copy_mechanism=none
fi

allow_ranks() {
  if [ "$1" -gt "$(cores)" ]; then
    export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
  fi
}
