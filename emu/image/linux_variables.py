"""The types of Linux's variables, which its BTF leaves out: it has those of per-CPU ones only.

They are as the kernel's sources declare them. A name that a kernel does not have is of no use and
does no harm, and so is one whose type it does not have: `Types` leaves it out. Where the number of
elements is a matter of configuration the array has none, and any index is allowed. Sources: Linux
6.1 and 6.12, the files named beside each group.
"""

VARIABLES = {
    # init/init_task.c, init/version-timestamp.c, init/main.c, mm/init-mm.c, kernel/cred.c
    "init_task": "struct task_struct",
    "init_mm": "struct mm_struct",
    "init_cred": "struct cred",
    "init_files": "struct files_struct",
    "init_fs": "struct fs_struct",
    "init_nsproxy": "struct nsproxy",
    "init_pid_ns": "struct pid_namespace",
    "init_signals": "struct signal_struct",
    "init_sighand": "struct sighand_struct",
    "init_uts_ns": "struct uts_namespace",
    "saved_command_line": "char *",
    "system_state": "enum system_states",
    "tasklist_lock": "rwlock_t",
    "total_forks": "unsigned long",
    "nr_threads": "int",
    # arch/x86/kernel/setup.c, setup_percpu.c, kernel/cpu.c, smp.c, include/linux/cpumask.h
    "boot_cpu_data": "struct cpuinfo_x86",
    "boot_params": "struct boot_params",
    "__per_cpu_offset": "unsigned long[0]",
    "__cpu_possible_mask": "struct cpumask",
    "__cpu_present_mask": "struct cpumask",
    "__cpu_online_mask": "struct cpumask",
    "__cpu_active_mask": "struct cpumask",
    "__num_online_cpus": "atomic_t",
    "nr_cpu_ids": "unsigned int",
    "cpu_hotplug_lock": "struct percpu_rw_semaphore",
    # kernel/time/timer.c, timekeeping.c
    "jiffies": "unsigned long",
    "jiffies_64": "u64",
    # arch/x86/kernel/alternative.c, kernel/extable.c
    "bp_desc": "struct bp_patching_desc",
    "tp_vec": "struct text_poke_loc[256]",
    "tp_vec_nr": "int",
    "poking_mm": "struct mm_struct *",
    "poking_addr": "unsigned long",
    "text_mutex": "struct mutex",
    # kernel/trace/ftrace.c, fgraph.c, arch/x86/kernel/ftrace.c
    "ftrace_ops_list": "struct ftrace_ops *",
    "ftrace_list_end": "struct ftrace_ops",
    "ftrace_ops_trampoline_list": "struct list_head",
    "ftrace_trace_function": "ftrace_func_t",
    "function_trace_op": "struct ftrace_ops *",
    "ftrace_pages": "struct ftrace_page *",
    "ftrace_pages_start": "struct ftrace_page *",
    "ftrace_enabled": "int",
    "ftrace_lock": "struct mutex",
    "ftrace_number_of_pages": "unsigned long",
    "ftrace_number_of_groups": "unsigned long",
    "ftrace_update_tot_cnt": "unsigned long",
    "ftrace_graph_active": "int",
    "global_ops": "struct ftrace_ops",
    "graph_ops": "struct ftrace_ops",
    "global_trace": "struct trace_array",
    "ftrace_trace_arrays": "struct list_head",
    "trace_types": "struct tracer *",
    # kernel/livepatch/core.c, patch.c, transition.c
    "klp_patches": "struct list_head",
    "klp_mutex": "struct mutex",
    "klp_ops": "struct list_head",
    "klp_transition_patch": "struct klp_patch *",
    "klp_target_state": "int",
    # kernel/kprobes.c
    "kprobe_table": "struct hlist_head[64]",
    "kprobe_mutex": "struct mutex",
    "kprobes_all_disarmed": "bool",
    "kprobe_insn_slots": "struct kprobe_insn_cache",
    "kprobe_optinsn_slots": "struct kprobe_insn_cache",
    # kernel/rcu/tasks.h, tree.c
    "rcu_tasks": "struct rcu_tasks",
    "rcu_tasks_rude": "struct rcu_tasks",
    "rcu_tasks_trace": "struct rcu_tasks",
    "rcu_state": "struct rcu_state",
    # kernel/module/main.c, kernel/jump_label.c, kernel/panic.c
    "modules": "struct list_head",
    "module_mutex": "struct mutex",
    "mod_tree": "struct mod_tree_root",
    "jump_label_mutex": "struct mutex",
    "tainted_mask": "unsigned long",
}
"""The type of each variable by its name, as C writes it."""
