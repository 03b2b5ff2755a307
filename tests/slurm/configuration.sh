# What the fixture's SLURM is told; to be sourced by cluster.sh.

# free_ports COUNT: the first of so many consecutive ports that nobody listens on, below the ports that the kernel gives
# away; different processes begin to look at different places.
free_ports() {
  local first port
  for ((first = 17000 + $$ % 900 * 16; first < 32000; first += 16)); do
    for ((port = first; port < first + $1; port++)); do
      (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue 2
    done
    echo "$first"
    return
  done
  return 1
}

# write_configuration DIRECTORY MEMORY NODES CPUS PORT: slurm.conf and what it names, and env.sh for users.
write_configuration() {
  local directory=$1 memory=$2 nodes=$3 cpus=$4 port=$5 host
  host=$(hostname -s)
  cat >"$directory/slurm.conf" <<CONF
ClusterName=fake
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# cred_expire is also the delay before a requeued job may start again (120 s by default).
AuthInfo=socket=$directory/munge/sock,cred_expire=5
SlurmctldPort=$port
SlurmctldPidFile=$directory/state/slurmctld.pid
SlurmctldLogFile=$directory/log/slurmctld.log
StateSaveLocation=$directory/state
SlurmdPidFile=$directory/state/slurmd.%n.pid
SlurmdLogFile=$directory/log/slurmd.%n.log
SlurmdSpoolDir=$directory/state/spool/%n
# Each node its own: else mpi/pmix collides between fake nodes in one folder named by user and step.
TmpFS=$directory/tmp/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/${SLURM_FIXTURE_TASKS:-none}
TaskProlog=$directory/task-prolog.sh
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$directory/log/jobcomp.txt
MpiDefault=pmix
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=200
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
DependencyParameters=kill_invalid_depend
EnforcePartLimits=ALL
ReturnToService=2
JobRequeue=1
KillWait=5
InactiveLimit=0
MinJobAge=3600
MaxArraySize=8
SlurmctldTimeout=60
SlurmdTimeout=60
UnkillableStepTimeout=30
NodeName=node[0-$((nodes - 1))] NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1))-$((port + nodes)) CPUs=$cpus RealMemory=2000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  # The plugin is loaded even when unused, and finding out the version fails where /sys/fs/cgroup is missing, read-only
  # or hybrid; version 1 touches nothing unless a plugin of cgroups is on.
  echo "CgroupPlugin=cgroup/v1" >"$directory/cgroup.conf"
  # Fake nodes share host name, /tmp and /dev/shm: without a folder for each, the shared memory of Open MPI, named by
  # host, job and local rank only, would be overwritten by another node's.
  cat >"$directory/task-prolog.sh" <<PROLOG
#!/bin/sh
echo "export TMPDIR=$directory/tmp/\$SLURMD_NODENAME"
echo "export OMPI_MCA_btl_vader_backing_directory=$memory/\$SLURMD_NODENAME"
PROLOG
  chmod 755 "$directory/task-prolog.sh"
  # The ring fence: with the others 1 to 5 % of the steps on several nodes crash or hang in MPI_Init here. Yield: ranks
  # outnumber cores, so that none may spin.
  cat >"$directory/env.sh" <<ENV
export SLURM_CONF=$directory/slurm.conf SLURM_PMIX_FENCE=ring
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
ENV
}
