using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Starts children that know nothing of the host, in its own process group, and ignores its token: a kill must take them, too.
/// </summary>
internal sealed class ProcessChildrenJob : IThreadJob<ProcessChildrenParameters>
{
    public object? Run(ProcessChildrenParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        if (!File.Exists(Descendants.Sleep))
        {
            return new Skipped($"There is no {Descendants.Sleep}.");
        }
        var pids = new List<int>();
        for (var child = 0; child < parameters.Count; child++)
        {
            pids.Add(Descendants.StartChild(parameters.Seconds, parameters.Pids));
        }
        using var marker = new Marker(parameters.Marker);
        Stay.Until(new Bound(parameters.Seconds), marker);
        return new { Pids = pids };
    }
}

/// <param name="Count">How many children.</param>
/// <param name="Seconds">When all of it ends by itself.</param>
/// <param name="Pids">The absolute path of a file that gets the process id of each child, one a line.</param>
/// <param name="Marker">The absolute path of the worker's side counter, or null for none.</param>
internal sealed record ProcessChildrenParameters(
    [Range(0, 1000)] int Count = 3,
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Pids = null,
    string? Marker = null
);
