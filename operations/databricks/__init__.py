"""What operators do with a workspace: what is deployed, runs, repairs, results and costs, through databricks-sdk."""
