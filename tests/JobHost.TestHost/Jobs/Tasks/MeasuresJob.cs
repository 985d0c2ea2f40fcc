using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;

namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Says what came of its parameters.</summary>
internal sealed class MeasuresJob : IJob<MeasuresParameters>
{
    public Task<object?> RunAsync(
        MeasuresParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    ) =>
        context.Attempt == parameters.FailsAttempt
            ? throw new InvalidOperationException("Once more.")
            : Task.FromResult<object?>(
                new
                {
                    parameters.Text.Length,
                    Sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parameters.Text))),
                }
            );
}

/// <param name="Text">Is measured.</param>
/// <param name="FailsAttempt">The attempt that fails.</param>
/// <param name="Level">At most 10.</param>
internal sealed record MeasuresParameters([Required] string Text, int FailsAttempt = 0, [Range(0, 10)] int Level = 0);
