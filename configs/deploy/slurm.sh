#!/usr/bin/env bash
# One run on several nodes of a SLURM cluster: Ray carries the evaluations, the conductor is on the first node.
#
#   sbatch --nodes 4 slurm.sh TASK [options of 'speciate run']
#   sbatch --nodes 4 --export ALL,SPECIATE_RUN=runs/big slurm.sh TASK     # again with the same folder: goes on
#
# `speciate` and `ray` are on the PATH of every node: load your environment above, or in the job's profile.
#SBATCH --job-name=speciate
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@300
#SBATCH --requeue
set -euo pipefail

task=${1:?"usage: sbatch slurm.sh TASK [options of 'speciate run']"}
shift
run=${SPECIATE_RUN:-runs/slurm-$SLURM_JOB_ID}
port=${SPECIATE_RAY_PORT:-6379}

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
read -r head _ < <(srun --overlap --nodes=1 --ntasks=1 --nodelist "${nodes[0]}" hostname --ip-address)
on() { srun --overlap --nodes=1 --ntasks=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" --nodelist "$@"; }

on "${nodes[0]}" ray start --head --node-ip-address "$head" --port "$port" \
    --num-cpus "$SLURM_CPUS_PER_TASK" --block &
for _ in $(seq 60); do
    ray status --address "$head:$port" >/dev/null 2>&1 && break
    sleep 2
done
for node in "${nodes[@]:1}"; do
    on "$node" ray start --address "$head:$port" --num-cpus "$SLURM_CPUS_PER_TASK" --block &
done
# `--workers` is what the cluster has room for when the run begins: all nodes first.
alive() {
    python3 -c 'import ray, sys
ray.init(sys.argv[1], logging_level="ERROR")
print(sum(node["Alive"] for node in ray.nodes()))' "$head:$port" 2>/dev/null || echo 0
}
for _ in $(seq 60); do
    (($(alive) >= ${#nodes[@]})) && break
    sleep 5
done

# Five minutes before the end SLURM sends SIGTERM here: the run ends what is in flight, and can be resumed.
if [[ -e $run/journal.db || -e $run/journal.url ]]; then
    speciate resume "$run" &
else
    speciate run "$task" --executor ray --address "$head:$port" --out "$run" "$@" &
fi
conductor=$!
trap 'kill -TERM "$conductor"' TERM INT
status=0
wait "$conductor" || status=$?
while kill -0 "$conductor" 2>/dev/null; do # a trap ended the first wait
    status=0
    wait "$conductor" || status=$?
done
exit "$status"
