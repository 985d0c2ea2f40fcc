using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Nodes;

/// <summary>One server after the other on the same data, as after crashes and restarts.</summary>
internal sealed class Lives(VictimProgram program, ServerSetup setup) : IAsyncDisposable
{
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(15);

    private readonly string data = ServerNode.NewDataDirectory(program);
    private readonly List<ServerNode> all = [];

    /// <summary>The life that was begun last.</summary>
    internal ServerNode Current => all[^1];

    /// <summary>Begins the next life; the one before has ended, but what it left behind is still there.</summary>
    /// <exception cref="SuiteException">A life after the first did not begin.</exception>
    internal async Task<ServerNode> BeginAsync()
    {
        all.Add(await ServerNode.StartAsync(program, setup, data));
        return Current.IsListening || all.Count == 1
            ? Current
            : throw new SuiteException($"the server did not start again on its own data: {Current.Output}");
    }

    /// <summary>Removes what earlier lives left behind, now that it has been counted.</summary>
    internal async Task ForgetEarlierAsync()
    {
        foreach (var earlier in all[..^1])
        {
            await earlier.DisposeAsync();
        }
        all.RemoveRange(0, all.Count - 1);
    }

    public async ValueTask DisposeAsync()
    {
        // The last life ends in order, so that it can put away what it keeps outside its folder.
        if (all is [.., { IsListening: true, Exit.IsCompleted: false } last])
        {
            await ((Task)last.TerminateAsync())
                .WaitAsync(EndBound)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        foreach (var life in all)
        {
            await life.DisposeAsync();
        }
    }
}
