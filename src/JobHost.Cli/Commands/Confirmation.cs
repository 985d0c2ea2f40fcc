namespace JobHost.Cli.Commands;

/// <summary>Asks whoever sits there before many are harmed; where nobody does, <c>--yes</c> has to stand there.</summary>
internal static class Confirmation
{
    internal static System.CommandLine.Option<bool> Yes() =>
        new("--yes", "-y") { Description = "Does it without asking" };

    /// <returns>Whether it is to be done.</returns>
    /// <exception cref="UsageException">Nobody can be asked.</exception>
    internal static async Task<bool> AskAsync(string question, CancellationToken cancellationToken)
    {
        if (Console.IsInputRedirected)
        {
            throw new UsageException("Nothing was done. With --yes it is done without asking.");
        }
        await Console.Error.WriteAsync($"{question} [y/N] ");
        var answer = await Console.In.ReadLineAsync(cancellationToken);
        return answer?.Trim() is "y" or "Y" or "yes";
    }
}
