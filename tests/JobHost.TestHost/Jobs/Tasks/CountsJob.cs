using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>
/// Leaves one line for each execution in a journal that many runs and nodes share: whether something ran twice, or not at
/// all, is read there and not in what the host says.
/// </summary>
internal sealed class CountsJob : IJob<CountsParameters>
{
    public async Task<object?> RunAsync(
        CountsParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        AppendOnlyFile.AppendLine(parameters.Journal, $"{context.RunId} {context.Attempt}");
        await Task.Delay(parameters.Milliseconds, cancellationToken);
        return null;
    }
}

/// <param name="Journal">The absolute path of the journal.</param>
/// <param name="Milliseconds">How long the run stays after its line is written, for those who want to die meanwhile.</param>
internal sealed record CountsParameters([Required] string Journal, [Range(0, 120_000)] int Milliseconds = 0);
