using System.Text;

namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Lets a text out in every way that code has. It comes in another form, as a start may not say a secret.</summary>
internal static class LetsOut
{
    internal static async Task<object> RunAsync(LetsOutParameters parameters, JobContext context)
    {
        var text = Encoding.UTF8.GetString(Convert.FromBase64String(parameters.Text));
        context.Report(50, $"at {text}");
        context.Logger.Said($"log {text}");
        if (context.Job != "lets-out")
        {
            // Inside the host that would be the console of the service, which is nobody's run.
            Console.WriteLine($"print {text}");
        }
        await context.SendAsync($"say {text}");
        return parameters.How == "throw"
            ? throw new InvalidOperationException($"threw {text}")
            : new { Text = $"result {text}", More = new Dictionary<string, int> { [text] = 1 } };
    }
}

/// <param name="How"><c>return</c> or <c>throw</c>.</param>
/// <param name="Text">What is let out, as base64.</param>
internal sealed record LetsOutParameters(string How, string Text);
