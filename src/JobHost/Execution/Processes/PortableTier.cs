using System.Diagnostics;
using System.IO.Pipes;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Native;

namespace JobHost.Execution.Processes;

/// <summary>
/// What every system has: the worker is a child made by the class library, and a kill ends it and the descendants that the
/// library finds. A descendant whose parent has gone is not found, and nothing here can prove that there is none.
/// </summary>
internal sealed class PortableTier : IProcessTier
{
    public string Name => KillGuarantees.BestEffort;

    public Task<ProcessTree> StartAsync(WorkerLaunch launch) => Task.FromResult<ProcessTree>(Start(launch));

    private static PortableTree Start(WorkerLaunch launch)
    {
        var toWorker = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.Inheritable);
        var fromWorker = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        var start = new ProcessStartInfo(launch.File)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = launch.WorkingDirectory,
        };
        foreach (var argument in launch.Arguments)
        {
            start.ArgumentList.Add(argument);
        }
        start.ArgumentList.Add(toWorker.GetClientHandleAsString());
        start.ArgumentList.Add(fromWorker.GetClientHandleAsString());
        start.Environment.Clear();
        foreach (var (name, value) in launch.Environment)
        {
            start.Environment[name] = value;
        }
        try
        {
            return new PortableTree(Process.Start(start)!, toWorker, fromWorker);
        }
        catch (Exception problem) when (problem is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            toWorker.Dispose();
            fromWorker.Dispose();
            throw new IOException($"'{launch.File}' cannot be started: {problem.Message}", problem);
        }
        finally
        {
            toWorker.DisposeLocalCopyOfClientHandle();
            fromWorker.DisposeLocalCopyOfClientHandle();
        }
    }

    private sealed class PortableTree : ProcessTree
    {
        private readonly Process process;

        internal PortableTree(Process process, Stream toWorker, Stream fromWorker)
        {
            this.process = process;
            ToWorker = toWorker;
            FromWorker = fromWorker;
            Pid = process.Id;
            process.StandardInput.Close();
            RootEnded = WaitAsync();
            Gone = AfterRootAsync();
        }

        internal override int Pid { get; }

        internal override ProcessRecord Root =>
            new(Pid, 0, process.ProcessName, State: null, WaitsFor: null, Exit: null);

        internal override string Mechanism => "process";

        internal override Stream ToWorker { get; }

        internal override Stream FromWorker { get; }

        internal override Stream Stdout => process.StandardOutput.BaseStream;

        internal override Stream Stderr => process.StandardError.BaseStream;

        internal override Task<ProcessExit> RootEnded { get; }

        internal override Task<TreeEnd> Gone { get; }

        internal override void Mark(Guid run)
        {
            // Nobody could look for it.
        }

        internal override string? Signal(int signal) => "this system has no signals for it";

        internal override string? Freeze() => "this system cannot freeze processes";

        internal override string? Thaw() => "this system cannot freeze processes";

        internal override IReadOnlyList<ProcessRecord> Kill()
        {
            var before = Members();
            try
            {
                process.Kill(entireProcessTree: true);
            }
            catch (Exception gone)
                when (gone is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
            {
                // It ended meanwhile, or a part of it cannot be killed; the look afterwards tells.
            }
            return before;
        }

        internal override IReadOnlyList<ProcessRecord> Members() => RootEnded.IsCompleted ? [] : [Root];

        public override async ValueTask DisposeAsync()
        {
            await ToWorker.DisposeAsync();
            await FromWorker.DisposeAsync();
            process.Dispose();
        }

        private async Task<TreeEnd> AfterRootAsync()
        {
            await RootEnded;
            return new("the worker ended; descendants that it left cannot be seen on this system", [], 0);
        }

        private async Task<ProcessExit> WaitAsync()
        {
            // Not WaitForExitAsync, which waits for the output of grandchildren, too.
            var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            process.EnableRaisingEvents = true;
            process.Exited += (_, _) => exited.TrySetResult();
            if (process.HasExited)
            {
                exited.TrySetResult();
            }
            await exited.Task;
            return new(process.ExitCode, null);
        }
    }
}
