using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Worker.Main;

/// <summary>What there is to report of a run since the last time, in messages that fit into a frame.</summary>
internal sealed class RunReport(RunContext context)
{
    // Far below the limit of a frame, also when each character takes six bytes as JSON.
    private const int MaxCharacters = 256 * 1024;
    private const int MaxLineLength = 64 * 1024;

    private RunProgress? reported;

    internal IEnumerable<ReportMessage> Take()
    {
        var progress = context.Progress;
        var lines = context.Log.Take(out var dropped);
        if (lines.Count == 0 && dropped == 0 && ReferenceEquals(progress, reported))
        {
            yield break;
        }
        var batch = new List<string>();
        var characters = 0;
        foreach (var line in lines)
        {
            var bounded = line.Length > MaxLineLength ? line[..MaxLineLength] + "..." : line;
            batch.Add(bounded);
            characters += bounded.Length;
            if (characters > MaxCharacters)
            {
                yield return new(batch, 0, null);
                batch = [];
                characters = 0;
            }
        }
        yield return new(batch, dropped, progress);
        reported = progress;
    }
}
